//! A C runtime heap that gives back what it does not use.
//!
//! Read it in this order: [`span`] (256 KiB of blocks, and the record of what
//! lives there), [`arena`] (where spans and their records lie), [`space`]
//! (which of them are taken), [`shard`] (which span a small block is taken
//! from), [`large`] (blocks of whole pages), [`heap`] (who asks whom, under
//! which lock), then [`heapmin`] (what goes back to the system), and [`entry`],
//! [`heapwalk`], [`heapchk`] and [`heapset`], which look at all of it.
//! [`alignment`] and [`resize`] are about other places and other sizes.
//! [`routines`] puts the C runtime's rules about parameters and `errno` around
//! it, and [`os`] is all that differs between systems. [`schedule`] is for tests.

pub mod alignment;
pub mod arena;
pub mod bits;
pub mod entry;
pub mod errno;
pub mod errno_texts;
pub mod heap;
pub mod heapchk;
pub mod heapmin;
pub mod heapset;
pub mod heapwalk;
pub mod large;
pub mod list;
pub mod lock;
pub mod os;
pub mod resize;
pub mod routines;
pub mod schedule;
pub mod shard;
pub mod shared;
pub mod size_class;
pub mod space;
pub mod span;

#[cfg(test)]
mod tests;
