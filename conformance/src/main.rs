//! The command `heapmin`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    heapmin_conformance::cli::run()
}
