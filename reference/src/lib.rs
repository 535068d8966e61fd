//! A C runtime heap whose `_heapmin` gives every page without a live block back
//! to the operating system.
//!
//! Read the modules in this order:
//!
//! 1. `span`: 256 KiB of blocks, and the record that describes them
//! 2. `arena`: the address space that holds all spans and all records
//! 3. `space`: which spans are taken
//! 4. `shard`: which span a small block comes from
//! 5. `large`: blocks of whole pages
//! 6. [`heap`]: which of these serves a request, and under which lock
//! 7. `heapmin`: which pages go back to the system
//! 8. [`entry`], [`heapwalk`], [`heapchk`] and `heapset`: inspect the whole heap
//! 9. [`alignment`] and `resize`: aligned blocks, and new sizes for blocks
//! 10. `misuse`: an option that ends the process when it misuses a block
//!
//! [`routines`] adds the C runtime's rules about parameters and `errno`;
//! [`global_alloc`] makes it the allocator of a Rust program. `os` holds all that differs between systems. `schedule` is for tests.

pub mod entry;
pub mod global_alloc;
pub mod heapchk;
pub mod routines;

// Public only for the tests outside this crate, which make their own heaps:
// tests/model.rs, tests/threads.rs and variants/schedules/tests.
pub mod alignment;
pub mod heap;
pub mod heapwalk;

mod arena;
mod bits;
mod clear;
mod errno;
mod errno_texts;
mod heapmin;
mod heapset;
mod large;
mod layout;
mod list;
mod lock;
mod misuse;
mod os;
mod pages;
mod resize;
mod schedule;
mod shard;
mod shared;
mod size_class;
mod slots;
mod space;
mod span;
mod thread;
mod whole;
mod window;

#[cfg(test)]
mod tests;
