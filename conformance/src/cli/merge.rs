//! `heapmin merge`: the parts of a run as the whole run.

use super::options::ReportsArgs;
use super::reports::Reports;
use super::{AS_EXPECTED, DEVIATION, FAILED, catalogue};
use crate::clause::Level;
use crate::expected::gate;
use crate::expected::profiles::Profiles;
use crate::expected::{File, listed, status};
use crate::judged;
use crate::record::{self, Run, restore};
use clap::{Args, ValueHint};
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::printable::shown;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  heapmin merge part-1.json part-2.json --expected expected.toml
  heapmin merge part-*.json --report junit=run.xml";

#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct MergeArgs {
    /// The parts: files that `heapmin check --partition M/N --format json` wrote
    #[arg(required = true, value_name = "PART", value_hint = ValueHint::FilePath)]
    parts: Vec<PathBuf>,
    /// File of known deviations and of clauses that must be judged
    ///
    /// The known deviations are in addition to those of the profiles.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = GATE)]
    expected: Option<PathBuf>,
    /// Fail if an entry of the --expected file that occurs has no `bug`
    #[arg(long, requires = "expected", help_heading = GATE)]
    require_bug: bool,
    #[command(flatten)]
    reports: ReportsArgs,
}

const GATE: &str = "What fails the run";

pub(super) fn merge(args: &MergeArgs) -> Result<u8, InputError> {
    let parts = args.parts.iter().map(|path| {
        let name = shown(path.as_os_str());
        Ok((name, record::read(path)?))
    });
    let parts: Vec<_> = parts.collect::<Result<_, InputError>>()?;
    let expected = args.expected.as_deref();
    let expected = expected.map(|path| File::open(path, false)).transpose()?;
    let read = args.parts.iter().map(|path| path.as_path());
    let reports = Reports::create(&args.reports, read.chain(args.expected.as_deref()))?;
    let mut whole = record::merge(parts)?;
    whole.options.expected = args.expected.as_ref().map(|it| shown(it.as_os_str()));
    compare(&mut whole, expected.as_ref())?;
    if args.require_bug {
        whole.complain(listed::require_bug(&whole.known));
    }
    let complaints = judged::essential_complaints(&whole);
    whole.complain(complaints);
    if let Some(level @ (Level::Must | Level::Should)) = whole.options.must_judge {
        let complaints = judged::level_complaints(&whole, level);
        whole.complain(complaints);
    }
    whole.status = match (whole.refused.is_empty(), whole.complaints.is_empty()) {
        (false, _) => FAILED,
        (true, true) => AS_EXPECTED,
        (true, false) => DEVIATION,
    };
    reports.write(&whole)?;
    Ok(whole.status)
}

/// Compares the results with the profiles and the file, as a check does.
fn compare(whole: &mut Run, file: Option<&File>) -> Result<(), InputError> {
    let catalogue = catalogue()?;
    let mut checked = Vec::new();
    for library in &whole.candidates {
        let name = library.profile.as_ref();
        let name = name.map(|name| whole.options.profile.as_ref().unwrap_or(name));
        let profile = name.map(|name| catalogue.profile(name)).transpose()?;
        checked.push(restore(library, profile)?);
    }
    let candidates: Vec<_> = checked.iter().map(|one| one.candidate.clone()).collect();
    let profiles = Profiles::of(&candidates)?;
    profiles.mark(&mut checked);
    if let Some(file) = file {
        status::mark(&mut checked, file.known());
    }
    let findings = gate::compare(&checked, &profiles, file);
    whole.known = listed::listed(&checked, &profiles, file);
    whole.notes = findings.notes;
    for (library, checked) in whole.candidates.iter_mut().zip(&checked) {
        library.set_known(checked);
    }
    whole.complaints.clear();
    whole.complain(findings.complaints);
    Ok(())
}
