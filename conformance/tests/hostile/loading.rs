//! Libraries whose own code ends the process, or never returns, while they are loaded.

use super::run::Run;
use super::{LONG, SHORT};
use heapmin_test_libraries::Hostile;
use libtest_mimic::Failed;
use serde_json::Value;

/// Checks that one result of the whole run says what happened, and that no case was run.
pub(super) fn ends(hostile: &Hostile) -> Result<(), Failed> {
    let seconds = match hostile.verdict {
        "timeout" => SHORT,
        _ => LONG,
    };
    let run = Run::new(&[hostile.path])?.arguments(&["--timeout", seconds]);
    let output = run.output_while(|_| Ok(()))?;
    let report: Value = serde_json::from_slice(&output.stdout)?;
    let results = report["candidates"][0]["results"].as_array();
    let (first, others) = results
        .and_then(|results| results.split_first())
        .ok_or("the report has no result")?;
    let is_unrun = |it: &&Value| {
        let observed = it["observed"].as_str().unwrap_or_default();
        let is_error = it["verdict"] == "error" && observed.starts_with("not run: ");
        let is_unsupported = it["verdict"] == "unsupported" && it["reason"] == "not-applicable";
        it["duration_ms"] == 0 && (is_error || is_unsupported)
    };
    let observed = first["observed"].as_str().unwrap_or_default();
    let names_loading = observed.contains("while the library was being loaded");
    let wrong: Vec<_> = others.iter().filter(|it| !is_unrun(it)).collect();
    match output.status.code() {
        Some(1) if first["verdict"] == hostile.verdict && names_loading && wrong.is_empty() => {
            Ok(())
        }
        _ => Err(format!(
            "{}: {first:#?}, not of an unrun case: {wrong:#?}",
            output.status
        )
        .into()),
    }
}
