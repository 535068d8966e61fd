//! A small C runtime heap in Rust, as an example. `errno` is the C library's.
//!
//! Blocks of up to 16 KiB are cut from chunks of 64 KiB, each for blocks of one size, a power
//! of two. A larger block has a chunk of its own. The chunk of a block starts at the multiple
//! of 64 KiB below it.

use libc::{c_int, c_void, size_t};
use std::cell::UnsafeCell;
use std::ptr::{self, null_mut};

const CHUNK: usize = 1 << 16;
const LARGEST: usize = 1 << 14;
const PAGE: usize = 4096;
/// Bytes at the start of a chunk that are no block.
const HEAD: usize = size_of::<Chunk>().next_multiple_of(16);

/// The start of a chunk.
#[repr(C)]
struct Chunk {
    next: *mut Chunk,
    /// The first block that was freed; each begins with the address of the next one.
    free: *mut *mut c_void,
    length: usize,
    /// Bytes of a block.
    size: usize,
    live: usize,
    /// The offset of the first block that was never used.
    fresh: usize,
}

impl Chunk {
    /// Whether it has no room for another block.
    ///
    /// # Safety
    /// It must be mapped.
    unsafe fn is_full(chunk: *mut Chunk) -> bool {
        // SAFETY: the caller promises it.
        unsafe { (*chunk).free.is_null() && (*chunk).fresh + (*chunk).size > (*chunk).length }
    }
}

struct Heap {
    /// Chunks with room, by the size of a block: 16 bytes, 32 bytes, and so on.
    chunks: [*mut Chunk; 11],
}

/// The heap and its lock. The lock is of POSIX, which lets [`start`] hold it during a fork.
struct Locked {
    lock: UnsafeCell<libc::pthread_mutex_t>,
    heap: UnsafeCell<Heap>,
}

// SAFETY: only the holder of the lock uses the heap.
unsafe impl Sync for Locked {}

static HEAP: Locked = Locked {
    lock: UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER),
    heap: UnsafeCell::new(Heap {
        chunks: [null_mut(); 11],
    }),
};

extern "C" fn enter() {
    // SAFETY: the lock is initialised, and never moves.
    unsafe { libc::pthread_mutex_lock(HEAP.lock.get()) };
}

extern "C" fn leave() {
    // SAFETY: this thread called `enter`.
    unsafe { libc::pthread_mutex_unlock(HEAP.lock.get()) };
}

/// What `act` returns, with the heap to itself.
fn with_heap<T>(act: impl FnOnce(&mut Heap) -> T) -> T {
    enter();
    // SAFETY: this thread has the lock, and `act` does not come here again.
    let result = act(unsafe { &mut *HEAP.heap.get() });
    leave();
    result
}

/// Registers fork handlers: without them, a child could wait for ever for a lock that another
/// thread had.
extern "C" fn start() {
    // SAFETY: the handlers only use the lock.
    unsafe { libc::pthread_atfork(Some(enter), Some(leave), Some(leave)) };
}

/// The loader calls it when the library is loaded.
#[used]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = start;

fn fail<T>(number: c_int, value: T) -> T {
    // SAFETY: the address is that of this thread's errno.
    unsafe { *libc::__errno_location() = number };
    value
}

fn chunk_of(block: *mut c_void) -> *mut Chunk {
    block.map_addr(|it| it & !(CHUNK - 1)).cast()
}

fn class_of(size: usize) -> usize {
    (size.max(16).next_power_of_two() / 16).trailing_zeros() as usize
}

/// A new chunk of this length for blocks of this size; null if the system has no memory.
fn map(length: usize, size: usize) -> *mut Chunk {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: the system chooses the place, and what is not of the chunk goes back.
    unsafe {
        let memory = libc::mmap(null_mut(), length + CHUNK, access, kind, -1, 0);
        if memory == libc::MAP_FAILED {
            return null_mut();
        }
        let before = memory.addr().next_multiple_of(CHUNK) - memory.addr();
        let chunk = memory.byte_add(before);
        if before > 0 {
            libc::munmap(memory, before);
        }
        libc::munmap(chunk.byte_add(length), CHUNK - before);
        let chunk: *mut Chunk = chunk.cast();
        *chunk = Chunk {
            next: null_mut(),
            free: null_mut(),
            length,
            size,
            live: 0,
            fresh: HEAD,
        };
        chunk
    }
}

impl Heap {
    /// A block of this size or more; null if the system has no memory.
    ///
    /// # Safety
    /// The chunks in the lists must be mapped.
    unsafe fn take(&mut self, size: usize) -> *mut c_void {
        if size > isize::MAX as usize - 2 * CHUNK {
            return null_mut();
        }
        if size > LARGEST {
            let length = (size + HEAD).next_multiple_of(PAGE);
            let chunk = map(length, length - HEAD);
            return match chunk.is_null() {
                true => null_mut(),
                false => chunk.wrapping_byte_add(HEAD).cast(),
            };
        }
        let class = class_of(size);
        if self.chunks[class].is_null() {
            self.chunks[class] = map(CHUNK, 16 << class);
        }
        let chunk = self.chunks[class];
        if chunk.is_null() {
            return null_mut();
        }
        // SAFETY: the chunk is mapped, and its blocks that are not live are ours.
        unsafe {
            let mut block: *mut c_void = (*chunk).free.cast();
            if block.is_null() {
                block = chunk.byte_add((*chunk).fresh).cast();
                (*chunk).fresh += (*chunk).size;
            } else {
                (*chunk).free = (*(*chunk).free).cast();
            }
            (*chunk).live += 1;
            if Chunk::is_full(chunk) {
                self.chunks[class] = (*chunk).next;
            }
            block
        }
    }

    /// Takes a block back.
    ///
    /// # Safety
    /// It must be a live block of this heap.
    unsafe fn give(&mut self, block: *mut c_void) {
        let chunk = chunk_of(block);
        // SAFETY: the chunk of a live block is mapped.
        unsafe {
            if (*chunk).size > LARGEST {
                libc::munmap(chunk.cast(), (*chunk).length);
                return;
            }
            let was_full = Chunk::is_full(chunk);
            let block: *mut *mut c_void = block.cast();
            *block = (*chunk).free.cast();
            (*chunk).free = block;
            (*chunk).live -= 1;
            let list = &mut self.chunks[class_of((*chunk).size)];
            if was_full {
                (*chunk).next = *list;
                *list = chunk;
            }
        }
    }

    /// Gives every chunk without a live block back. Returns whether the system took them all.
    fn trim(&mut self) -> bool {
        let mut is_done = true;
        for list in &mut self.chunks {
            let mut link: *mut *mut Chunk = list;
            // SAFETY: the chunks of a list are mapped, and each is unlinked before it goes.
            unsafe {
                while !(*link).is_null() {
                    let chunk = *link;
                    let next = (*chunk).next;
                    if (*chunk).live == 0 && libc::munmap(chunk.cast(), CHUNK) == 0 {
                        *link = next;
                    } else {
                        is_done &= (*chunk).live > 0;
                        link = &raw mut (*chunk).next;
                    }
                }
            }
        }
        is_done
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn malloc(size: size_t) -> *mut c_void {
    // SAFETY: `give` and `trim` unlink the chunks that they give back.
    let block = unsafe { with_heap(|heap| heap.take(size)) };
    match block.is_null() {
        true => fail(libc::ENOMEM, block),
        false => block,
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn calloc(count: size_t, size: size_t) -> *mut c_void {
    let Some(bytes) = count.checked_mul(size) else {
        return fail(libc::ENOMEM, null_mut());
    };
    let block = malloc(bytes);
    if !block.is_null() {
        // SAFETY: the block has this many bytes.
        unsafe { ptr::write_bytes::<u8>(block.cast(), 0, bytes) };
    }
    block
}

/// # Safety
/// `block` must be null or a live block of this heap.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free(block: *mut c_void) {
    if !block.is_null() {
        // SAFETY: the caller promises it, and reads its own errno.
        unsafe {
            let before = *libc::__errno_location();
            with_heap(|heap| heap.give(block));
            fail(before, ());
        }
    }
}

/// # Safety
/// `block` must be null or a live block of this heap.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn realloc(block: *mut c_void, size: size_t) -> *mut c_void {
    if block.is_null() {
        return malloc(size);
    }
    if size == 0 {
        // SAFETY: the caller promises that it is a block.
        unsafe { free(block) };
        return null_mut();
    }
    // SAFETY: the chunk of a live block is mapped.
    let room = unsafe { (*chunk_of(block)).size };
    if size <= room && size > room / 4 {
        return block;
    }
    // SAFETY: as in `malloc`.
    let moved = unsafe { with_heap(|heap| heap.take(size)) };
    if moved.is_null() {
        // A shorter block always fits where it is.
        return if size <= room {
            block
        } else {
            fail(libc::ENOMEM, moved)
        };
    }
    // SAFETY: both blocks have this many bytes, and neither is a part of the other.
    unsafe {
        ptr::copy_nonoverlapping::<u8>(block.cast(), moved.cast(), room.min(size));
        free(block);
    }
    moved
}

/// # Safety
/// `block` must be null or a live block of this heap.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _msize(block: *mut c_void) -> size_t {
    match block.is_null() {
        true => fail(libc::EINVAL, size_t::MAX),
        // SAFETY: the chunk of a live block is mapped.
        false => unsafe { (*chunk_of(block)).size },
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn _heapmin() -> c_int {
    // SAFETY: the address is that of this thread's errno.
    let before = unsafe { *libc::__errno_location() };
    match with_heap(Heap::trim) {
        true => fail(before, 0),
        false => fail(libc::ENOSYS, -1),
    }
}
