//! Unchanged programs of Linux on the reference heap, put under them with
//! LD_PRELOAD: `preload::sqlite`. Each runs on the system's heap as well, and
//! what it makes must be the same (docs/guide/preload.md).
//!
//! What cannot be run here is named as skipped, with what mends it. With
//! HEAPMIN_REQUIRE=preload, or all, it is a failure instead.

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

// Nothing else has LD_PRELOAD, and glibc to be relieved.
#[cfg(not(target_os = "linux"))]
fn main() {}
