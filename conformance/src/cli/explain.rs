//! `heapmin explain`: what a clause requires, its source, and which known
//! libraries break it.

use super::output::Output;
use super::{AS_EXPECTED, catalogue};
use crate::clause::{Basis, Clause, Level};
use crate::expected::profiles::{known_deviations, wine_itself};
use crate::select::named;
use clap::{Args, ValueHint};
use heapmin_harness::library::inspect::Maker;
use heapmin_harness::text::input_error::InputError;
use std::fmt::Write;

const EXAMPLES: &str = "\
Examples:
  heapmin explain heapmin.releases-memory
  heapmin explain _heapmin";

#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct ExplainArgs {
    /// Id of the clause, as shown by `heapmin list`
    ///
    /// Or the name of a family or routine, such as heapmin: all of its clauses.
    #[arg(value_hint = ValueHint::Other)]
    clause: String,
}

/// How a case makes the system refuse.
const FAULT: &str = "\
without a hook in the library. Linux: a seccomp filter in the probe sends madvise, munmap, \
mremap, process_madvise and a lowered brk to a handler, which refuses them (ENOSYS, EPERM, ENOMEM, \
EINVAL) or makes them in the library's place. Windows and Wine: the library's imports of \
HeapCompact, VirtualFree, VirtualAlloc with MEM_RESET, DiscardVirtualMemory, OfferVirtualMemory \
and the Nt forms are replaced after it was loaded; they fail with last error 120, 5, 8, 87 or with \
none set. The probe counts: a library that makes no such call gets `unsupported`, not a pass";

pub(super) fn explain(args: &ExplainArgs) -> Result<u8, InputError> {
    let texts = named(&args.clause)?.into_iter().map(explained);
    let texts: Vec<_> = texts.collect::<Result<_, _>>()?;
    Output::Standard.write(&texts.join("\n"))?;
    Ok(AS_EXPECTED)
}

/// The text about one clause.
fn explained(clause: &Clause) -> Result<String, InputError> {
    let broken_by = broken_by(clause)?;
    let mut text = String::new();
    let meaning = match clause.level {
        Level::Must => "a library must keep it",
        Level::Should => "it serves the purpose of the page; a good library keeps it",
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
            writeln!(text, "  fault     made {FAULT}")?;
        }
        for (libraries, why) in &broken_by {
            writeln!(text, "  broken by {}: {why}", libraries.join(", "))?;
        }
        if broken_by.is_empty() {
            writeln!(text, "  broken by no library that has a profile")?;
        }
        Ok(())
    };
    write().expect("writing to a string");
    Ok(text)
}

/// The libraries whose profiles list a deviation from the clause, those with the
/// same reason together.
fn broken_by(clause: &Clause) -> Result<Vec<(Vec<String>, String)>, InputError> {
    let mut found: Vec<(Vec<String>, String)> = Vec::new();
    for known in wine_itself()?.iter().filter(|it| it.clause == clause.id) {
        let heap = format!("Wine's own heap{}", known.versions);
        found.push((vec![heap], known.entry().reason()));
    }
    for profile in catalogue()?.profiles {
        let known = known_deviations(&profile)?;
        for known in known.into_iter().filter(|it| it.clause == clause.id) {
            let whose = match known.maker {
                Some(Maker::Wine) => "Wine's ",
                Some(Maker::Microsoft) => "Microsoft's ",
                Some(Maker::Other) | None => "",
            };
            let library = format!("{whose}{}{}", profile.name, known.versions);
            let reason = known.entry().reason();
            match found.iter_mut().find(|(_, why)| *why == reason) {
                Some((libraries, _)) if libraries.contains(&library) => {}
                Some((libraries, _)) => libraries.push(library),
                None => found.push((vec![library], reason)),
            }
        }
    }
    Ok(found)
}
