//! A C runtime heap that gives back what it does not use.
//!
//! Read it in this order: [`span`] (64 KiB of blocks and their bitmap),
//! [`arena`] (where spans and their records lie), [`entry`] (what stands at an address), [`heap`] (who gets which
//! block), [`alignment`] and [`resize`] (other places, other sizes), [`heapmin`] (what goes back to the system), then [`heapwalk`], [`heapchk`]
//! and [`heapset`], which look at all of it. [`routines`] puts the C
//! runtime's rules about parameters and `errno` around it, and [`os`] is all
//! that differs between systems.

pub mod alignment;
pub mod arena;
pub mod entry;
pub mod errno;
pub mod errno_texts;
pub mod heap;
pub mod heapchk;
pub mod heapmin;
pub mod heapset;
pub mod heapwalk;
pub mod os;
pub mod resize;
pub mod routines;
pub mod size_class;
pub mod span;

#[cfg(test)]
mod tests;
