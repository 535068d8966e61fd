//! `heapmin report`: shows saved runs in any format.

use super::options::ReportsArgs;
use super::reports::Reports;
use crate::record;
use clap::{Args, ValueHint};
use heapmin_harness::text::input_error::InputError;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  heapmin report run.json --format html --output run.html
  heapmin report old.json new.json";

#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct ReportArgs {
    /// Saved runs: files that `heapmin check --format json` wrote
    #[arg(required = true, value_name = "RUN", value_hint = ValueHint::FilePath)]
    runs: Vec<PathBuf>,
    #[command(flatten)]
    reports: ReportsArgs,
}

/// The status is that of the runs: the worst of them.
pub(super) fn report(args: &ReportArgs) -> Result<u8, InputError> {
    let runs = args.runs.iter().map(|path| record::read(path));
    let runs: Vec<_> = runs.collect::<Result<_, _>>()?;
    let read = args.runs.iter().map(|path| path.as_path());
    let reports = Reports::create(&args.reports, read)?;
    let run = record::join(runs).expect("the command line has a run");
    reports.write(&run)?;
    Ok(run.status)
}
