//! A C runtime heap whose `_heapmin` gives every page without a live block back
//! to the operating system.
//!
//! Read the modules in this order:
//!
//! 1. `layout`, `span`: 256 KiB of blocks, and the record that describes them
//! 2. `window`: the address space that holds all spans and all records; `scattered`: that
//!    of spans on 32-bit systems
//! 3. `arena`: the span and the record for a number or an address
//! 4. `space`: which spans are taken
//! 5. `slots`, `shard`: where a small block comes from
//! 6. `pages`, `large`: blocks of whole pages
//! 7. [`heap`]: which of these serves a request, and under which lock
//! 8. `whole`, `heapmin`: which pages go back to the system
//! 9. [`entry`], [`heapwalk`], [`heapchk`] and `heapset`: inspect the whole heap
//! 10. [`alignment`], `resize` and `clear`: aligned blocks, and new sizes for blocks
//! 11. `misuse`: an option that ends the process when it misuses a block
//!
//! [`routines`] adds the C runtime's rules about parameters and `errno`;
//! [`global_alloc`] makes it the allocator of a Rust program. `os` holds all that differs
//! between systems. `schedule` is for tests.

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
mod scattered;
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
