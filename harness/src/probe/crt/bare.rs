//! The routines without observation, to measure how long they take.

use super::Crt;
use crate::probe::Stop;
use std::ffi::{c_int, c_void};
use std::ptr::NonNull;

type Pointer = *mut c_void;

/// The candidate's `malloc`, `realloc`, `free` and `_heapmin`, called directly. For an
/// adapter, the first three are the adapted allocator's own.
#[derive(Clone, Copy)]
pub struct Bare {
    malloc: unsafe extern "C" fn(usize) -> Pointer,
    realloc: unsafe extern "C" fn(Pointer, usize) -> Pointer,
    free: unsafe extern "C" fn(Pointer),
    heapmin: unsafe extern "C" fn() -> c_int,
}

/// A live block of the candidate.
#[derive(Debug)]
pub struct BareBlock {
    address: NonNull<u8>,
    size: usize,
}

// SAFETY: a block of bytes may be used and freed by any thread.
unsafe impl Send for BareBlock {}

impl Crt {
    /// The routines for direct calls.
    ///
    /// # Errors
    /// [`Stop::Missing`] with the first routine that the library does not have.
    pub fn bare(&self) -> Result<Bare, Stop> {
        let routines = &self.routines;
        let mut bare = Bare {
            malloc: routines.malloc.ok_or(Stop::Missing("malloc"))?,
            realloc: routines.realloc.ok_or(Stop::Missing("realloc"))?,
            free: routines.free.ok_or(Stop::Missing("free"))?,
            heapmin: routines._heapmin.ok_or(Stop::Missing("_heapmin"))?,
        };
        let adapted = self.candidate.find("adapted").cast::<[Pointer; 3]>();
        if !adapted.is_null() {
            // SAFETY: only our adapters export this name; it is a table of these routines.
            unsafe {
                let [malloc, realloc, free] = *adapted;
                bare.malloc =
                    std::mem::transmute::<Pointer, unsafe extern "C" fn(usize) -> Pointer>(malloc);
                bare.realloc = std::mem::transmute::<
                    Pointer,
                    unsafe extern "C" fn(Pointer, usize) -> Pointer,
                >(realloc);
                bare.free = std::mem::transmute::<Pointer, unsafe extern "C" fn(Pointer)>(free);
            }
        }
        Ok(bare)
    }

    /// The version of the allocator that an adapter adapts: major, minor and patch. `None`
    /// for other libraries.
    pub fn adapted_version(&self) -> Option<[c_int; 3]> {
        let version = self.candidate.find("adapted_version").cast::<[c_int; 3]>();
        // SAFETY: only our adapters export this name; it is a table of three numbers.
        (!version.is_null()).then(|| unsafe { *version })
    }
}

impl Bare {
    /// Allocates a block.
    ///
    /// # Errors
    /// [`Stop::OutOfMemory`] if the routine returns null.
    #[inline]
    pub fn malloc(self, size: usize) -> Result<BareBlock, Stop> {
        // SAFETY: malloc takes any size.
        let address = NonNull::new(unsafe { (self.malloc)(size) }.cast());
        match address {
            Some(address) => Ok(BareBlock { address, size }),
            None => Err(Stop::OutOfMemory(size)),
        }
    }

    /// Resizes a block.
    ///
    /// # Errors
    /// [`Stop::OutOfMemory`] if the routine returns null. The old block then leaks.
    #[inline]
    pub fn realloc(self, block: BareBlock, size: usize) -> Result<BareBlock, Stop> {
        // SAFETY: a live block of this candidate, whose owner gave it up.
        let address = unsafe { (self.realloc)(block.address.as_ptr().cast(), size) };
        match NonNull::new(address.cast()) {
            Some(address) => Ok(BareBlock { address, size }),
            None => Err(Stop::OutOfMemory(size)),
        }
    }

    /// Frees a block.
    #[inline]
    pub fn free(self, block: BareBlock) {
        // SAFETY: a live block of this candidate, whose owner gave it up.
        unsafe { (self.free)(block.address.as_ptr().cast()) };
    }

    /// Calls `_heapmin`.
    #[inline]
    pub fn heapmin(self) -> i32 {
        // SAFETY: it takes no argument.
        unsafe { (self.heapmin)() }
    }
}

impl BareBlock {
    /// Its address.
    #[inline]
    pub fn address(&self) -> usize {
        self.address.as_ptr() as usize
    }

    /// The requested size in bytes.
    #[inline]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Writes every byte.
    #[inline]
    pub fn fill(&mut self, byte: u8) {
        // SAFETY: a live block of this size, borrowed exclusively.
        unsafe { self.address.as_ptr().write_bytes(byte, self.size) };
    }

    /// Writes every byte from index `first` on.
    pub fn fill_from(&mut self, first: usize, byte: u8) {
        assert!(first <= self.size);
        // SAFETY: inside a live block, borrowed exclusively.
        unsafe {
            self.address
                .as_ptr()
                .add(first)
                .write_bytes(byte, self.size - first)
        };
    }

    /// Whether every byte has this value.
    pub fn is_all(&self, byte: u8) -> bool {
        // SAFETY: a live block of this size, which `fill` wrote.
        let bytes = unsafe { std::slice::from_raw_parts(self.address.as_ptr(), self.size) };
        bytes.iter().all(|&b| b == byte)
    }
}
