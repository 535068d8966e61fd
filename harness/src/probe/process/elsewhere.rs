//! The routines where the system is not Linux: the cases do not apply.

use super::{Locked, Pages, Reloaded};
use crate::probe::crt::Crt;
use crate::probe::{Probe, Stop};

fn not_here<T>() -> Result<T, Stop> {
    Err(Stop::NotApplicable("only Linux has LD_PRELOAD".into()))
}

/// Not on this system.
///
/// # Errors
/// Always: this system has no such thing.
pub fn arm_fork_handlers(_: &Crt) -> Result<(), Stop> {
    not_here()
}

/// Not on this system.
pub fn calls_of_fork_handlers() -> u32 {
    0
}

/// Not on this system.
///
/// # Errors
/// Always: this system has no such thing.
pub fn is_cancelled_while_allocating(_: &Crt) -> Result<bool, Stop> {
    not_here()
}

/// Not on this system.
///
/// # Errors
/// Always: this system has no such thing.
pub fn threads_with_destructors(_: &Crt, _: usize) -> Result<u64, Stop> {
    not_here()
}

/// Not on this system.
pub fn host_errno() -> i32 {
    0
}

/// Not on this system.
pub fn set_host_errno(_: i32) {}

/// Not on this system.
pub fn lock_all_memory(_: u64, _: Pages) -> Locked {
    Locked::Unknown
}

/// The mappings of a process.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Bytes of address space.
    pub bytes: u64,
    /// Number of mappings.
    pub mappings: u64,
}

/// Not on this system.
///
/// # Errors
/// Always: this system has no such thing.
pub fn extent() -> Result<Extent, Stop> {
    not_here()
}

/// Not on this system.
///
/// # Errors
/// Always: this system has no such thing.
pub fn core_size() -> Result<u64, Stop> {
    not_here()
}

/// Not on this system.
///
/// # Errors
/// Always: this system has no such thing.
pub fn refuse_advice() -> Result<(), Stop> {
    not_here()
}

/// Not on this system.
///
/// # Errors
/// Always: this system has no such thing.
pub fn reload(_: &mut Probe, _: u32) -> Result<Reloaded, Stop> {
    not_here()
}

/// Not on this system.
///
/// # Errors
/// Always: this system has no such thing.
pub fn interrupted(_: &(dyn Fn() + Sync)) -> Result<u64, Stop> {
    not_here()
}

/// Not on this system.
pub fn threads_with_stacks<const N: usize>(_: usize) -> usize {
    0
}

/// Not on this system.
///
/// # Errors
/// Always: this system has no such thing.
pub fn resolves_to(_: &Crt, _: &str) -> Result<Option<String>, Stop> {
    not_here()
}

/// The routines of POSIX and C23. On this system there are none.
pub struct Posix<'a>(&'a Crt);

#[allow(missing_docs)]
impl<'a> Posix<'a> {
    /// # Errors
    /// Always: this system has no such thing.
    pub fn find(crt: &'a Crt) -> Result<Posix<'a>, Stop> {
        let _ = Posix(crt);
        not_here()
    }

    pub fn has(&self, _: &str) -> bool {
        false
    }

    /// # Errors
    /// Always: this system has no such thing.
    pub fn aligned(&self, _: &'static str, _: usize, _: usize) -> Result<Option<usize>, Stop> {
        not_here()
    }

    /// # Errors
    /// Always: this system has no such thing.
    pub fn posix_memalign(&self, _: usize, _: usize) -> Result<(i32, usize), Stop> {
        not_here()
    }

    /// # Errors
    /// Always: this system has no such thing.
    pub fn reallocarray(&self, _: usize, _: usize, _: usize) -> Result<usize, Stop> {
        not_here()
    }

    /// # Errors
    /// Always: this system has no such thing.
    pub fn usable_size(&self, _: usize) -> Result<usize, Stop> {
        not_here()
    }

    /// # Errors
    /// Always: this system has no such thing.
    pub fn free_sized(&self, _: usize, _: usize) -> Result<(), Stop> {
        not_here()
    }

    /// # Errors
    /// Always: this system has no such thing.
    pub fn free_aligned_sized(&self, _: usize, _: usize, _: usize) -> Result<(), Stop> {
        not_here()
    }
}
