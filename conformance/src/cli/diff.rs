//! `heapmin diff`: what changed between two runs.

use super::checked::run_of;
use super::messages::is_quiet;
use super::options::ListFormat;
use super::output::Output;
use super::{AS_EXPECTED, DEVIATION};
use crate::record::{Diff, How, diff as compare};
use clap::{Args, ValueHint};
use heapmin_harness::text::input_error::InputError;
use std::ffi::OsString;
use std::fmt::Write;

const AFTER: &str = "\
Exit status:
  0  no result is worse
  1  a result regressed or is no longer judged

Examples:
  heapmin diff old.json new.json
  heapmin diff ./libold.so ./libnew.so -- --only heapmin";

#[derive(Args)]
#[command(
    override_usage = "heapmin diff [OPTIONS] <OLD> <NEW> [-- CHECK-OPTIONS...]",
    after_long_help = AFTER
)]
pub(super) struct DiffArgs {
    /// The old run, or a library, which is checked first
    ///
    /// A run is a file that `heapmin check --format json` wrote.
    #[arg(value_hint = ValueHint::FilePath)]
    old: OsString,
    /// The new run, or a library
    #[arg(value_hint = ValueHint::FilePath)]
    new: OsString,
    /// Format of the list
    #[arg(long, value_enum, default_value_t = ListFormat::Human, help_heading = "Reports")]
    format: ListFormat,
    /// Options of `heapmin check` for a library
    #[arg(last = true, value_name = "CHECK-OPTIONS", value_hint = ValueHint::Other)]
    options: Vec<OsString>,
}

pub(super) fn diff(args: &DiffArgs) -> Result<u8, InputError> {
    let old = run_of(&args.old, &args.options)?;
    let new = run_of(&args.new, &args.options)?;
    let found = compare(&old, &new);
    let text = match args.format {
        ListFormat::Human if is_quiet() && !found.is_worse() => return Ok(AS_EXPECTED),
        ListFormat::Human => human(&found),
        ListFormat::Json => {
            serde_json::to_string_pretty(&found).expect("a list is plain data") + "\n"
        }
    };
    Output::Standard.write(&text)?;
    Ok(match found.is_worse() {
        true => DEVIATION,
        false => AS_EXPECTED,
    })
}

fn human(diff: &Diff) -> String {
    let mut text = String::new();
    let mut list = |word: &str, names: &[String]| {
        for name in names {
            writeln!(text, "{word}: {name}").expect("writing to a string");
        }
    };
    list("warning", &diff.warnings);
    list("only the old run has the library", &diff.missing);
    list("only the new run has the library", &diff.added);
    list(
        "the clause is gone from the suite or the selection",
        &diff.gone_clauses,
    );
    list(
        "the clause is new in the suite or the selection",
        &diff.added_clauses,
    );
    let is_shown = |kind: How| !is_quiet() || matches!(kind, How::Regressed | How::Lost);
    for (kind, heading) in How::ALL {
        if !is_shown(kind) {
            continue;
        }
        let changes: Vec<_> = diff.changes.iter().filter(|it| it.kind == kind).collect();
        if changes.is_empty() {
            continue;
        }
        writeln!(text, "\n{heading}: {}", changes.len()).expect("writing to a string");
        for change in changes {
            writeln!(
                text,
                "  {} {} [{}]\n    before  {}: {}\n    now     {}: {}",
                change.candidate,
                change.clause,
                change.case,
                change.before.0.name(),
                change.before.1,
                change.after.0.name(),
                change.after.1
            )
            .expect("writing to a string");
        }
    }
    let count = |kind| diff.changes.iter().filter(|it| it.kind == kind).count();
    let counts = How::ALL.map(|(kind, heading)| format!("{heading} {}", count(kind)));
    write!(text, "\n{}\n", counts.join(", ")).expect("writing to a string");
    text.trim_start().to_owned()
}
