//! A C runtime heap that gives back what it does not use.
//!
//! Read it in this order: [`span`] (64 KiB of blocks and their bitmap),
//! [`arena`] (where spans and their records lie), [`heap`] (who gets which
//! block), [`heapmin`] (what goes back to the system), then [`heapwalk`] and
//! [`heapchk`], which only look. [`routines`] puts the C runtime's rules
//! about `errno` around it, and [`os`] is all that differs between systems.

pub mod arena;
pub mod errno;
pub mod heap;
pub mod heapchk;
pub mod heapmin;
pub mod heapwalk;
pub mod os;
pub mod routines;
pub mod size_class;
pub mod span;

#[cfg(test)]
mod tests;
