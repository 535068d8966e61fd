//! `heapmin explain`: what a clause requires, its source, and which known
//! libraries break it.

use super::output::Output;
use super::{AS_EXPECTED, catalogue};
use crate::clause::{Basis, Level};
use crate::clauses::heapmin::FAULT_HOW as HOW;
use crate::select::clause;
use heapmin_harness::library::inspect::Maker;
use heapmin_harness::text::input_error::InputError;
use std::fmt::Write;

pub fn explain(id: &str) -> Result<u8, InputError> {
    let clause = clause(id)?;
    let catalogue = catalogue()?;
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
        let mut is_broken = false;
        for profile in &catalogue.profiles {
            for known in profile
                .known
                .iter()
                .filter(|known| known.clause == clause.id)
            {
                let whose = match known.maker {
                    Some(Maker::Wine) => "Wine's ",
                    Some(Maker::Microsoft) => "Microsoft's ",
                    Some(Maker::Other) | None => "",
                };
                writeln!(text, "  broken by {whose}{}: {}", profile.name, known.why)?;
                is_broken = true;
            }
        }
        if !is_broken {
            writeln!(text, "  broken by no library that has a profile")?;
        }
        Ok(())
    };
    write().expect("writing to a string");
    Output::Standard.write(&text)?;
    Ok(AS_EXPECTED)
}
