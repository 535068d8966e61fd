//! Runs unchanged Linux programs on the reference heap with LD_PRELOAD:
//! `preload::sqlite`. Each runs on the system's heap too, and its results must be
//! the same (docs/guide/preload.md).
//!
//! A test that cannot run here is reported as skipped, with a remedy. With
//! HEAPMIN_REQUIRE=preload, or all, it fails instead.

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

// Other systems do not have LD_PRELOAD and glibc.
#[cfg(not(target_os = "linux"))]
fn main() {}
