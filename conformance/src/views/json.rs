//! The JSON report: the record itself. Its format is stable.

use crate::record::Run;

/// The report as JSON text.
pub(super) fn report(run: &Run) -> String {
    let mut text = serde_json::to_string_pretty(run).expect("a record is plain data");
    text.push('\n');
    text
}
