//! The command `heapmin`.

use std::process::ExitCode;

fn main() -> ExitCode {
    heapmin_conformance::cli::run()
}
