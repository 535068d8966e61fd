//! Each routine as a method: where the candidate is entered.
//!
//! Nothing of ours happens between a routine's return and the method's, so
//! that `errno` can still be read. A routine that the library does not have
//! is [`Stop::Missing`].

use super::{Block, Crt, HeapInfo, Stop};

/// Gives the routine, or leaves with `Missing`.
macro_rules! routine {
    ($crt:expr, $name:ident) => {
        $crt.routines
            .$name
            .ok_or(Stop::Missing(stringify!($name)))?
    };
}

impl Crt {
    /// Calls `malloc`; `None` if it gives null.
    pub fn malloc(&self, size: usize) -> Result<Option<Block>, Stop> {
        let malloc = routine!(self, malloc);
        // SAFETY: the candidate's routine, called as its page says.
        Ok(Block::given(unsafe { malloc(size) }, size))
    }

    /// Calls `malloc` for a block that the case cannot do without.
    pub fn need(&self, size: usize) -> Result<Block, Stop> {
        self.malloc(size)?.ok_or(Stop::OutOfMemory(size))
    }

    /// Calls `calloc`; `None` if it gives null.
    pub fn calloc(&self, count: usize, size: usize) -> Result<Option<Block>, Stop> {
        let calloc = routine!(self, calloc);
        // SAFETY: the candidate's routine, called as its page says.
        let address = unsafe { calloc(count, size) };
        Ok(Block::given(address, count.wrapping_mul(size)))
    }

    /// Calls `realloc`; the old block is back if it gives null.
    pub fn realloc(&self, block: Block, size: usize) -> Result<Result<Block, Block>, Stop> {
        let realloc = routine!(self, realloc);
        // SAFETY: a live block of the candidate, given up by its owner.
        let address = unsafe { realloc(block.pointer(), size) };
        Ok(Block::given(address, size).ok_or(block))
    }

    /// Calls `_recalloc`; the old block is back if it gives null.
    pub fn recalloc(
        &self,
        block: Block,
        count: usize,
        size: usize,
    ) -> Result<Result<Block, Block>, Stop> {
        let recalloc = routine!(self, _recalloc);
        // SAFETY: as for `realloc`.
        let address = unsafe { recalloc(block.pointer(), count, size) };
        Ok(Block::given(address, count.wrapping_mul(size)).ok_or(block))
    }

    /// Calls `free`.
    pub fn free(&self, block: Block) -> Result<(), Stop> {
        let free = routine!(self, free);
        // SAFETY: a live block of the candidate, given up by its owner.
        unsafe { free(block.pointer()) };
        Ok(())
    }

    /// Calls `_msize`.
    pub fn msize(&self, block: &Block) -> Result<usize, Stop> {
        let msize = routine!(self, _msize);
        // SAFETY: a live block of the candidate.
        Ok(unsafe { msize(block.pointer()) })
    }

    /// Calls `_expand`; the block has what it gave.
    pub fn expand(&self, block: &Block, size: usize) -> Result<Option<Block>, Stop> {
        let expand = routine!(self, _expand);
        // SAFETY: a live block of the candidate.
        Ok(Block::given(unsafe { expand(block.pointer(), size) }, size))
    }

    /// Calls `_aligned_malloc`; `None` if it gives null.
    pub fn aligned_malloc(&self, size: usize, alignment: usize) -> Result<Option<Block>, Stop> {
        let aligned_malloc = routine!(self, _aligned_malloc);
        // SAFETY: the candidate's routine, called as its page says.
        Ok(Block::given(
            unsafe { aligned_malloc(size, alignment) },
            size,
        ))
    }

    /// Calls `_aligned_offset_malloc`; `None` if it gives null.
    pub fn aligned_offset_malloc(
        &self,
        size: usize,
        alignment: usize,
        offset: usize,
    ) -> Result<Option<Block>, Stop> {
        let aligned_offset_malloc = routine!(self, _aligned_offset_malloc);
        // SAFETY: the candidate's routine, called as its page says.
        let address = unsafe { aligned_offset_malloc(size, alignment, offset) };
        Ok(Block::given(address, size))
    }

    /// Calls `_aligned_realloc`; the old block is back if it gives null.
    pub fn aligned_realloc(
        &self,
        block: Block,
        size: usize,
        alignment: usize,
    ) -> Result<Result<Block, Block>, Stop> {
        let aligned_realloc = routine!(self, _aligned_realloc);
        // SAFETY: a live block of the aligned family, given up by its owner.
        let address = unsafe { aligned_realloc(block.pointer(), size, alignment) };
        Ok(Block::given(address, size).ok_or(block))
    }

    /// Calls `_aligned_offset_realloc`; the old block is back if it gives null.
    pub fn aligned_offset_realloc(
        &self,
        block: Block,
        size: usize,
        alignment: usize,
        offset: usize,
    ) -> Result<Result<Block, Block>, Stop> {
        let aligned_offset_realloc = routine!(self, _aligned_offset_realloc);
        // SAFETY: a live block of the aligned family, given up by its owner.
        let address = unsafe { aligned_offset_realloc(block.pointer(), size, alignment, offset) };
        Ok(Block::given(address, size).ok_or(block))
    }

    /// Calls `_aligned_recalloc`; the old block is back if it gives null.
    pub fn aligned_recalloc(
        &self,
        block: Block,
        count: usize,
        size: usize,
        alignment: usize,
    ) -> Result<Result<Block, Block>, Stop> {
        let aligned_recalloc = routine!(self, _aligned_recalloc);
        // SAFETY: a live block of the aligned family, given up by its owner.
        let address = unsafe { aligned_recalloc(block.pointer(), count, size, alignment) };
        Ok(Block::given(address, count.wrapping_mul(size)).ok_or(block))
    }

    /// Calls `_aligned_offset_recalloc`; the old block is back if it gives null.
    pub fn aligned_offset_recalloc(
        &self,
        block: Block,
        count: usize,
        size: usize,
        alignment: usize,
        offset: usize,
    ) -> Result<Result<Block, Block>, Stop> {
        let recalloc = routine!(self, _aligned_offset_recalloc);
        // SAFETY: a live block of the aligned family, given up by its owner.
        let address = unsafe { recalloc(block.pointer(), count, size, alignment, offset) };
        Ok(Block::given(address, count.wrapping_mul(size)).ok_or(block))
    }

    /// Calls `_aligned_msize`.
    pub fn aligned_msize(
        &self,
        block: &Block,
        alignment: usize,
        offset: usize,
    ) -> Result<usize, Stop> {
        let aligned_msize = routine!(self, _aligned_msize);
        // SAFETY: a live block of the aligned family.
        Ok(unsafe { aligned_msize(block.pointer(), alignment, offset) })
    }

    /// Calls `_aligned_free`.
    pub fn aligned_free(&self, block: Block) -> Result<(), Stop> {
        let aligned_free = routine!(self, _aligned_free);
        // SAFETY: a live block of the aligned family, given up by its owner.
        unsafe { aligned_free(block.pointer()) };
        Ok(())
    }

    /// Calls `_heapmin`.
    pub fn heapmin(&self) -> Result<i32, Stop> {
        let heapmin = routine!(self, _heapmin);
        // SAFETY: it takes nothing.
        Ok(unsafe { heapmin() })
    }

    /// Calls `_heapchk`.
    pub fn heapchk(&self) -> Result<i32, Stop> {
        let heapchk = routine!(self, _heapchk);
        // SAFETY: it takes nothing.
        Ok(unsafe { heapchk() })
    }

    /// Calls `_heapwalk`, which replaces the entry by the next.
    pub fn heapwalk(&self, info: &mut HeapInfo) -> Result<i32, Stop> {
        let heapwalk = routine!(self, _heapwalk);
        // SAFETY: an entry that the candidate gave, the start, or one that
        // it must find to be wild.
        Ok(unsafe { heapwalk(info) })
    }

    /// Calls `_heapwalk` without an entry.
    pub fn heapwalk_null(&self) -> Result<i32, Stop> {
        let heapwalk = routine!(self, _heapwalk);
        // SAFETY: a parameter that its page says is validated.
        Ok(unsafe { heapwalk(std::ptr::null_mut()) })
    }

    /// Calls `_heapset`.
    pub fn heapset(&self, fill: u32) -> Result<i32, Stop> {
        let heapset = routine!(self, _heapset);
        // SAFETY: it takes a number.
        Ok(unsafe { heapset(fill) })
    }

    /// Calls `_heapadd`.
    pub fn heapadd(&self, block: &Block) -> Result<i32, Stop> {
        let heapadd = routine!(self, _heapadd);
        // SAFETY: memory of its own, which is not used again.
        Ok(unsafe { heapadd(block.pointer(), block.size()) })
    }

    /// Calls `_get_heap_handle`.
    pub fn heap_handle(&self) -> Result<isize, Stop> {
        let get_heap_handle = routine!(self, _get_heap_handle);
        // SAFETY: it takes nothing.
        Ok(unsafe { get_heap_handle() })
    }

    /// Calls `_get_errno` with a place for the value.
    pub fn get_errno(&self) -> Result<(i32, i32), Stop> {
        let get_errno = routine!(self, _get_errno);
        let mut value = -1;
        // SAFETY: a place of the size that the page gives.
        let returned = unsafe { get_errno(&mut value) };
        Ok((returned, value))
    }

    /// Calls `_get_errno` with nowhere to put the value.
    pub fn get_errno_null(&self) -> Result<i32, Stop> {
        let get_errno = routine!(self, _get_errno);
        // SAFETY: a parameter that its page says is validated.
        Ok(unsafe { get_errno(std::ptr::null_mut()) })
    }

    /// Calls `_set_errno`.
    pub fn call_set_errno(&self, value: i32) -> Result<i32, Stop> {
        let set_errno = routine!(self, _set_errno);
        // SAFETY: it takes a number.
        Ok(unsafe { set_errno(value) })
    }

    /// Calls `_get_doserrno` with a place for the value.
    pub fn get_doserrno(&self) -> Result<(i32, u32), Stop> {
        let get_doserrno = routine!(self, _get_doserrno);
        let mut value = 0;
        // SAFETY: room for an unsigned long of either size.
        let returned = unsafe { get_doserrno(&mut value) };
        Ok((returned, value as u32))
    }

    /// Calls `_get_doserrno` with nowhere to put the value.
    pub fn get_doserrno_null(&self) -> Result<i32, Stop> {
        let get_doserrno = routine!(self, _get_doserrno);
        // SAFETY: a parameter that its page says is validated.
        Ok(unsafe { get_doserrno(std::ptr::null_mut()) })
    }

    /// Calls `_set_doserrno`.
    pub fn call_set_doserrno(&self, value: u32) -> Result<i32, Stop> {
        let set_doserrno = routine!(self, _set_doserrno);
        // SAFETY: it takes a number.
        Ok(unsafe { set_doserrno(value) })
    }

    /// The library's text for an error number: from its list, else from `strerror`.
    pub fn error_text(&self, number: i32) -> Result<String, Stop> {
        let text = match (self.routines.__sys_errlist, self.routines.__sys_nerr) {
            // SAFETY: as the page says, so many texts, none null.
            (Some(list), Some(count)) => unsafe {
                match number < count().read() {
                    true => list().add(number as usize).read(),
                    false => return Ok(String::new()),
                }
            },
            // SAFETY: it takes a number.
            _ => unsafe { routine!(self, strerror)(number) },
        };
        if text.is_null() {
            return Ok(String::new());
        }
        // SAFETY: a string of the library's, read at once.
        let text = unsafe { std::ffi::CStr::from_ptr(text) };
        Ok(text.to_string_lossy().into_owned())
    }
}
