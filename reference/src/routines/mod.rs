//! The routines of the C runtime, on one heap for the whole process.
//!
//! Each calls the heap, and sets `errno` as its page says. The package
//! `heapmin-crt` gives them their C names.

mod aligned;
mod blocks;
mod errors;
#[cfg(unix)]
mod fork;
mod handler;
#[cfg(unix)]
mod posix;
pub(crate) mod process;
#[cfg(unix)]
mod unload;
mod whole_heap;

pub use aligned::*;
pub use blocks::*;
pub use errors::*;
pub use handler::*;
#[cfg(unix)]
pub use posix::*;
pub use whole_heap::*;

#[cfg(test)]
mod tests;
