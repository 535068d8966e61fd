//! What the cases about a heap in a process need from Linux: fork handlers, cancellation,
//! locked memory, signals, destructors of threads, and the names of POSIX.

#[cfg(target_os = "linux")]
mod cancel;
#[cfg(target_os = "linux")]
mod destructors;
#[cfg(target_os = "linux")]
mod errno;
#[cfg(target_os = "linux")]
mod fork_handlers;
#[cfg(target_os = "linux")]
mod locked;
#[cfg(target_os = "linux")]
mod mappings;
#[cfg(target_os = "linux")]
mod names;
#[cfg(target_os = "linux")]
mod refuse;
#[cfg(target_os = "linux")]
mod reload;
#[cfg(target_os = "linux")]
mod signals;
#[cfg(target_os = "linux")]
mod stacks;

#[cfg(not(target_os = "linux"))]
mod elsewhere;

#[cfg(not(target_os = "linux"))]
pub use elsewhere::*;
#[cfg(target_os = "linux")]
pub use {
    cancel::is_cancelled_while_allocating,
    destructors::threads_with_destructors,
    errno::{host_errno, set_host_errno},
    fork_handlers::{arm_fork_handlers, calls_of_fork_handlers},
    locked::lock_all_memory,
    mappings::{Extent, core_size, extent},
    names::{Posix, resolves_to},
    refuse::refuse_advice,
    reload::reload,
    signals::interrupted,
    stacks::threads_with_stacks,
};

/// Which pages [`lock_all_memory`] locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pages {
    /// Those that the process has (`MCL_CURRENT`).
    Current,
    /// Those that it gets later (`MCL_FUTURE`).
    Future,
    /// Both.
    Both,
    /// Both, each at its first use (`MCL_ONFAULT`).
    BothAtFirstUse,
}

/// How [`lock_all_memory`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locked {
    /// The pages are locked.
    Yes,
    /// The system refused, because they are more than the limit.
    TooMany,
    /// The process may not lock as much, so it was not tried. All its pages together are
    /// within the limit.
    WouldFit,
    /// The process may not set the limit, or the system failed otherwise.
    Unknown,
}

/// What the loads and unloads of [`reload`] left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reloaded {
    /// The number of loads.
    pub loads: u32,
    /// The number of loads after which the library returned no block.
    pub refused: u32,
    /// Bytes of address space that were added between the tenth load and the last unload.
    pub address_space: i64,
    /// Mappings that were added meanwhile.
    pub mappings: i64,
}
