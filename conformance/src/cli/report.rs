//! `heapmin report`: shows saved runs in any format.

use super::ReportArgs;
use super::reports::Reports;
use crate::record;
use heapmin_harness::text::input_error::InputError;

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
