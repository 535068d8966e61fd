//! `heapmin explain`: what a clause requires, its source, and which known
//! libraries break it.

use super::output::Output;
use super::{AS_EXPECTED, catalogue};
use crate::clause::{Basis, Clause, Level};
use crate::clauses::heapmin::FAULT_HOW as HOW;
use crate::expected::profiles::known_deviations;
use crate::select::clause;
use heapmin_harness::library::inspect::Maker;
use heapmin_harness::text::input_error::InputError;
use std::fmt::Write;

pub fn explain(id: &str) -> Result<u8, InputError> {
    let clause = clause(id)?;
    let broken_by = broken_by(clause)?;
    let mut text = String::new();
    let meaning = match clause.level {
        Level::Must => "the page states it",
        Level::Should => "it follows from the page's purpose; the page gives no number",
        Level::Record => "it is recorded and never judged",
    };
    let mut write = || -> std::fmt::Result {
        writeln!(text, "{}\n", clause.id)?;
        writeln!(text, "  promises  {}", clause.promise)?;
        writeln!(text, "  expects   {}", clause.expects())?;
        writeln!(text, "  level     {} ({meaning})", clause.level)?;
        for place in clause.source.places() {
            writeln!(text, "  page      {}, {}", place.page, place.section)?;
            writeln!(text, "            {}", place.address)?;
        }
        writeln!(text, "  basis     {}", clause.source.basis)?;
        if let Basis::Limit(limit) = clause.source.basis {
            writeln!(text, "            {}", limit.reason)?;
        }
        for case in clause.cases {
            writeln!(text, "  case      {}: {}", case.name, case.summary)?;
        }
        if clause.cases.iter().any(|case| case.fault.is_some()) {
            writeln!(text, "  fault     made {}", HOW)?;
        }
        for (library, why) in &broken_by {
            writeln!(text, "  broken by {library}: {why}")?;
        }
        if broken_by.is_empty() {
            writeln!(text, "  broken by no library that has a profile")?;
        }
        Ok(())
    };
    write().expect("writing to a string");
    Output::Standard.write(&text)?;
    Ok(AS_EXPECTED)
}

/// The libraries whose profiles list a deviation from the clause, with the reason.
fn broken_by(clause: &Clause) -> Result<Vec<(String, String)>, InputError> {
    let mut found = Vec::new();
    for profile in catalogue()?.profiles {
        for known in known_deviations(&profile)? {
            if known.clause == clause.id {
                let whose = match known.maker {
                    Some(Maker::Wine) => "Wine's ",
                    Some(Maker::Microsoft) => "Microsoft's ",
                    Some(Maker::Other) | None => "",
                };
                found.push((format!("{whose}{}", profile.name), known.why));
            }
        }
    }
    Ok(found)
}
