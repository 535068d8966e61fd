//! An option: end the process when it misuses a block.
//!
//! With `HEAPMIN_MISUSE=abort` in the environment, the process ends with a message at a
//! double free, at a `free` of what is no block, and where a block was written past its
//! end, before its start or after its `free`.
//!
//! The option costs nothing while it is off, because the fast paths of `malloc` and `free`
//! do not ask for it. While it is on, the heap of the process never gets a window. So its
//! fast paths end where a thread has no shard yet or an address is in no span, and from
//! there the heap calls this module. The module has a second heap, and puts a header and
//! filled zones around each block of it:
//!
//! * `block`: the header and the zones, and what they show;
//! * `checked`: which blocks are checked, and which wait until they are free for good;
//! * `report`: the messages.

mod block;
mod checked;
mod report;

pub(crate) use checked::State;

use crate::alignment::Alignment;
use crate::entry::Entry;
use crate::heap::{Block, Heap};
use crate::heapwalk::{self, Next};
#[cfg(unix)]
use crate::lock::Guard;
use crate::lock::Lock;
use crate::os;
use crate::routines::process;
use crate::thread;
use checked::Checked;
use core::ptr;
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};
use report::or_end;

/// The heap of the process while the option is on.
static HEAP: Heap = Heap::new();
static STATE: Lock<State> = Lock::new(State::new());

fn checked() -> Checked<'static> {
    // A thread that gets its shard may allocate meanwhile, and this takes the lock too.
    thread::shard_or_new();
    Checked {
        heap: &HEAP,
        state: STATE.lock(),
    }
}

/// Whether the option is on. It never changes after the first call of the heap.
pub(crate) fn is_on() -> bool {
    const UNKNOWN: u8 = 0;
    const OFF: u8 = 1;
    const ON: u8 = 2;
    static SETTING: AtomicU8 = AtomicU8::new(UNKNOWN);
    if SETTING.load(Relaxed) == UNKNOWN {
        let wished = os::variable_is(c"HEAPMIN_MISUSE", b"abort");
        let state = if wished == Some(true) { ON } else { OFF };
        let first = SETTING.compare_exchange(UNKNOWN, state, Relaxed, Relaxed);
        if first.is_ok() && wished == Some(false) {
            os::write_error(
                b"heapmin: the value of HEAPMIN_MISUSE is unknown and ignored, set it to abort\n",
            );
        }
    }
    SETTING.load(Relaxed) == ON
}

/// Whether this module serves the calls of a heap. A heap with a window serves its own.
#[inline]
pub(crate) fn replaces(heap: &Heap) -> bool {
    !heap.arena.window.is_open() && ptr::eq(heap, process::heap()) && is_on()
}

/// The heap that holds the blocks of the process.
pub(crate) fn heap_in_use() -> &'static Heap {
    if is_on() { &HEAP } else { process::heap() }
}

/// Allocates a block, all zero. Returns `None` if there is no memory.
#[cold]
pub(crate) fn allocate(size: usize, asked: Alignment) -> Option<Block> {
    let address = or_end(|| checked().allocate(size, asked))?;
    let old_bytes = false;
    Some(Block { address, old_bytes })
}

/// Frees a block of a heap that this module replaces. Returns false for other heaps.
#[cold]
pub(crate) fn free(heap: &Heap, address: *mut u8) -> bool {
    let is_mine = replaces(heap);
    if is_mine {
        or_end(|| checked().free(address));
    }
    is_mine
}

/// Moves a block to a new one of another size. Returns `None`, with the block unchanged, if
/// there is no memory.
#[cold]
pub(crate) fn reallocate(address: *mut u8, size: usize, asked: Alignment) -> Option<*mut u8> {
    or_end(|| checked().reallocate(address, size, asked))
}

/// Resizes a block of a heap that this module replaces in place. Returns false for other
/// heaps, or if the block cannot grow to `size`.
#[cold]
pub(crate) fn resize_in_place(heap: &Heap, address: *mut u8, size: usize) -> bool {
    replaces(heap) && or_end(|| checked().resize_in_place(address, size))
}

/// The requested size of a live block. Returns `None` if the option is off or there is no
/// such block.
#[cold]
pub(crate) fn size_of(address: *const u8) -> Option<usize> {
    is_on().then(|| checked().size_of(address)).flatten()
}

/// The entry of the heap in use after the one at `address`, or the first one for null.
pub(crate) fn entry_after(address: *const u8) -> Next {
    match is_on() {
        true => checked().entry_after(address),
        false => process::heap().entry_after(address),
    }
}

/// The first used entry after the one at `address`. `None` after the last.
pub(crate) fn used_after(address: *const u8) -> Option<Entry> {
    // Free entries are passed over under one lock: they may be gone after it.
    if is_on() {
        let checked = checked();
        return heapwalk::used_after(address, |at| checked.entry_after(at));
    }
    let whole = process::heap().lock_all();
    heapwalk::used_after(address, |at| whole.entry_after(at))
}

/// Checks all blocks, and frees for good those that the program freed. Does nothing if the
/// option is off.
pub(crate) fn settle() {
    if is_on() {
        or_end(|| checked().settle());
    }
}

/// [`settle`], unless a thread is inside the heap.
#[cfg(unix)]
pub(crate) fn try_settle() {
    if is_on()
        && let Some(state) = STATE.try_lock()
    {
        let mut checked = Checked { heap: &HEAP, state };
        or_end(move || checked.settle());
    }
}

/// Takes this module's lock for a fork. Other threads must not hold it meanwhile.
#[cfg(unix)]
pub(crate) fn lock_for_fork() -> Guard<'static, State> {
    let guard = STATE.lock();
    guard.keep_for_fork();
    guard
}

#[cfg(test)]
mod tests;
