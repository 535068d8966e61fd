//! What the program writes to standard error.

use heapmin_harness::text::input_error::InputError;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Whether the user gave `--quiet`.
static QUIET: AtomicBool = AtomicBool::new(false);

/// Applies `--quiet` to the whole program.
pub(super) fn set_quiet(is_quiet: bool) {
    QUIET.store(is_quiet, Relaxed);
}

/// Whether the user wants to see only what is not as expected.
pub(super) fn is_quiet() -> bool {
    QUIET.load(Relaxed)
}

/// Writes an error to standard error.
pub(super) fn say(error: &InputError) {
    let red = anstyle::AnsiColor::Red.on_default().bold();
    note(&format!("{red}error:{red:#} {error}"));
}

/// Writes a line to standard error. The run continues if that fails.
pub(super) fn note(line: &str) {
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// Writes a line to standard error, unless `--quiet` was given: it says nothing about whether
/// a result is as expected.
pub(super) fn remark(line: &str) {
    if !is_quiet() {
        note(line);
    }
}
