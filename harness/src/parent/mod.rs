//! The parent's side: finds a runner for a library, starts a probe for each case and
//! watches it from outside until it ends.

pub mod candidate;
pub mod catalogue;
mod exit_status;
pub mod installed;
pub mod interruption;
pub mod launch;
pub mod memory;
mod memory_limit;
mod process;
pub mod process_limit;
#[cfg(target_os = "linux")]
pub mod program;
pub mod runner;
pub mod runners;
pub mod scratch;
pub mod stage;
pub mod surroundings;
pub mod target;
mod watch;
mod wine;
