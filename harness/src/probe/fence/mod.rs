//! The fence: restrictions that the probe puts on its own process before it loads the
//! candidate, so that a faulty candidate does no harm outside. The process cannot remove
//! them again. The parent limits memory and files from outside; see [`crate::parent`].
//!
//! The fence contains accidents. It does not contain a library that attacks the machine:
//! docs/guide/fence.md says what it does not prevent.

#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64")
))]
mod calls;
#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod limits;

use crate::wire::fence::{Fence, InForce};

/// Raises the fence around this process.
#[cfg(target_os = "linux")]
pub(super) fn raise(fence: &Fence) -> InForce {
    let mut in_force = InForce::default();
    limits::die_first();
    note(
        &mut in_force,
        &format!("{} s of processor time", fence.cpu_seconds),
        limits::processor_time(fence.cpu_seconds),
    );
    // The later parts open no files.
    note(
        &mut in_force,
        "writes to its own scratch folder only",
        files::writes_to_scratch_only(),
    );
    let processes = match fence.may_fork {
        true => "no network, and no child that leaves its group",
        false => "no network, no child processes, and no signals to others",
    };
    note(&mut in_force, processes, system_calls(fence.may_fork));
    in_force
}

/// Records that a restriction is in force, or why it is missing.
#[cfg(target_os = "linux")]
fn note(in_force: &mut InForce, part: &str, raised: Result<(), String>) {
    match raised {
        Ok(()) => in_force.kept.push(part.to_owned()),
        Err(why) => in_force.missing.push(format!("{part} ({why})")),
    }
}

/// Reports that this system has no fence.
#[cfg(not(target_os = "linux"))]
pub(super) fn raise(_: &Fence) -> InForce {
    InForce {
        kept: Vec::new(),
        missing: vec!["everything (only Linux has a fence)".into()],
    }
}

#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64")
))]
use calls::restrict as system_calls;

/// An error: the filter supports two kinds of processors only.
#[cfg(all(
    target_os = "linux",
    not(any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64"))
))]
fn system_calls(_: bool) -> Result<(), String> {
    Err("not for this kind of processor".into())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_restriction_is_in_force_or_missing_with_a_reason() {
        let mut in_force = InForce::default();
        note(&mut in_force, "no network", Ok(()));
        note(&mut in_force, "no writes", Err("old kernel".into()));
        assert_eq!(in_force.kept, ["no network"]);
        assert_eq!(in_force.missing, ["no writes (old kernel)"]);
    }
}
