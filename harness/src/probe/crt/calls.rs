//! Each routine of the candidate as a method.
//!
//! No code that could change `errno` runs between the routine's return and the method's
//! return. A routine that the library does not have gives [`Stop::Missing`].

use super::recorder::Request;
use super::{Block, Crt, HeapInfo, Stop};

/// The routine, or a return with `Missing`.
macro_rules! routine {
    ($crt:expr, $name:ident) => {
        $crt.routines
            .$name
            .ok_or(Stop::Missing(stringify!($name)))?
    };
}
pub(super) use routine;

impl Crt {
    /// Calls `malloc`; `None` for null.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn malloc(&self, size: usize) -> Result<Option<Block>, Stop> {
        let malloc = routine!(self, malloc);
        // SAFETY: the candidate's routine, called as its page says.
        let address = unsafe { malloc(size) };
        self.recorder
            .allocated("malloc", Request::of(size), address);
        Ok(Block::given(address, size))
    }

    /// Calls `malloc` for a block that the case needs.
    ///
    /// # Errors
    /// [`Stop::OutOfMemory`] for null, [`Stop::Missing`] if the library does not have `malloc`.
    pub fn need(&self, size: usize) -> Result<Block, Stop> {
        self.malloc(size)?.ok_or(Stop::OutOfMemory(size))
    }

    /// Calls `calloc`; `None` for null.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn calloc(&self, count: usize, size: usize) -> Result<Option<Block>, Stop> {
        let calloc = routine!(self, calloc);
        // SAFETY: the candidate's routine, called as its page says.
        let address = unsafe { calloc(count, size) };
        self.recorder
            .allocated("calloc", Request::array(count, size), address);
        Ok(Block::given(address, count.wrapping_mul(size)))
    }

    /// Calls `realloc`; returns the old block for null.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn realloc(&self, block: Block, size: usize) -> Result<Result<Block, Block>, Stop> {
        let realloc = routine!(self, realloc);
        let request = Request::of(size);
        let taken = self.recorder.take(block.pointer(), request);
        // SAFETY: a live block of the candidate, given up by its owner.
        let address = unsafe { realloc(block.pointer(), size) };
        self.recorder
            .resized("realloc", &block, taken, request, address);
        Ok(Block::given(address, size).ok_or(block))
    }

    /// Calls `_recalloc`; returns the old block for null.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn recalloc(
        &self,
        block: Block,
        count: usize,
        size: usize,
    ) -> Result<Result<Block, Block>, Stop> {
        let recalloc = routine!(self, _recalloc);
        let request = Request::array(count, size);
        let taken = self.recorder.take(block.pointer(), request);
        // SAFETY: as for `realloc`.
        let address = unsafe { recalloc(block.pointer(), count, size) };
        self.recorder
            .resized("_recalloc", &block, taken, request, address);
        Ok(Block::given(address, count.wrapping_mul(size)).ok_or(block))
    }

    /// Calls `free`.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn free(&self, block: Block) -> Result<(), Stop> {
        let free = routine!(self, free);
        let taken = self.recorder.take(block.pointer(), Request::of(0));
        // SAFETY: a live block of the candidate, given up by its owner.
        unsafe { free(block.pointer()) };
        self.recorder.freed("free", taken);
        Ok(())
    }

    /// Calls `_msize`.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn msize(&self, block: &Block) -> Result<usize, Stop> {
        let msize = routine!(self, _msize);
        self.recorder.read("_msize", block);
        // SAFETY: a live block of the candidate.
        Ok(unsafe { msize(block.pointer()) })
    }

    /// Calls `_expand`; `None` for null.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn expand(&self, block: &Block, size: usize) -> Result<Option<Block>, Stop> {
        let expand = routine!(self, _expand);
        let request = Request::of(size);
        let taken = self.recorder.take(block.pointer(), request);
        // SAFETY: a live block of the candidate.
        let address = unsafe { expand(block.pointer(), size) };
        self.recorder
            .resized("_expand", block, taken, request, address);
        Ok(Block::given(address, size))
    }

    /// Calls `_aligned_malloc`; `None` for null.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn aligned_malloc(&self, size: usize, alignment: usize) -> Result<Option<Block>, Stop> {
        let aligned_malloc = routine!(self, _aligned_malloc);
        // SAFETY: the candidate's routine, called as its page says.
        let address = unsafe { aligned_malloc(size, alignment) };
        let request = Request::of(size).aligned(alignment, 0);
        self.recorder.allocated("_aligned_malloc", request, address);
        Ok(Block::given(address, size))
    }

    /// Calls `_aligned_offset_malloc`; `None` for null.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn aligned_offset_malloc(
        &self,
        size: usize,
        alignment: usize,
        offset: usize,
    ) -> Result<Option<Block>, Stop> {
        let aligned_offset_malloc = routine!(self, _aligned_offset_malloc);
        // SAFETY: the candidate's routine, called as its page says.
        let address = unsafe { aligned_offset_malloc(size, alignment, offset) };
        let request = Request::of(size).aligned(alignment, offset);
        self.recorder
            .allocated("_aligned_offset_malloc", request, address);
        Ok(Block::given(address, size))
    }

    /// Calls `_aligned_realloc`; returns the old block for null.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn aligned_realloc(
        &self,
        block: Block,
        size: usize,
        alignment: usize,
    ) -> Result<Result<Block, Block>, Stop> {
        let aligned_realloc = routine!(self, _aligned_realloc);
        let request = Request::of(size).aligned(alignment, 0);
        let taken = self.recorder.take(block.pointer(), request);
        // SAFETY: a live block of the aligned family, given up by its owner.
        let address = unsafe { aligned_realloc(block.pointer(), size, alignment) };
        self.recorder
            .resized("_aligned_realloc", &block, taken, request, address);
        Ok(Block::given(address, size).ok_or(block))
    }

    /// Calls `_aligned_offset_realloc`; returns the old block for null.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn aligned_offset_realloc(
        &self,
        block: Block,
        size: usize,
        alignment: usize,
        offset: usize,
    ) -> Result<Result<Block, Block>, Stop> {
        let aligned_offset_realloc = routine!(self, _aligned_offset_realloc);
        let request = Request::of(size).aligned(alignment, offset);
        let taken = self.recorder.take(block.pointer(), request);
        // SAFETY: a live block of the aligned family, given up by its owner.
        let address = unsafe { aligned_offset_realloc(block.pointer(), size, alignment, offset) };
        self.recorder
            .resized("_aligned_offset_realloc", &block, taken, request, address);
        Ok(Block::given(address, size).ok_or(block))
    }

    /// Calls `_aligned_recalloc`; returns the old block for null.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn aligned_recalloc(
        &self,
        block: Block,
        count: usize,
        size: usize,
        alignment: usize,
    ) -> Result<Result<Block, Block>, Stop> {
        let aligned_recalloc = routine!(self, _aligned_recalloc);
        let request = Request::array(count, size).aligned(alignment, 0);
        let taken = self.recorder.take(block.pointer(), request);
        // SAFETY: a live block of the aligned family, given up by its owner.
        let address = unsafe { aligned_recalloc(block.pointer(), count, size, alignment) };
        self.recorder
            .resized("_aligned_recalloc", &block, taken, request, address);
        Ok(Block::given(address, count.wrapping_mul(size)).ok_or(block))
    }

    /// Calls `_aligned_offset_recalloc`; returns the old block for null.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn aligned_offset_recalloc(
        &self,
        block: Block,
        count: usize,
        size: usize,
        alignment: usize,
        offset: usize,
    ) -> Result<Result<Block, Block>, Stop> {
        let recalloc = routine!(self, _aligned_offset_recalloc);
        let request = Request::array(count, size).aligned(alignment, offset);
        let taken = self.recorder.take(block.pointer(), request);
        // SAFETY: a live block of the aligned family, given up by its owner.
        let address = unsafe { recalloc(block.pointer(), count, size, alignment, offset) };
        self.recorder
            .resized("_aligned_offset_recalloc", &block, taken, request, address);
        Ok(Block::given(address, count.wrapping_mul(size)).ok_or(block))
    }

    /// Calls `_aligned_msize`.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn aligned_msize(
        &self,
        block: &Block,
        alignment: usize,
        offset: usize,
    ) -> Result<usize, Stop> {
        let aligned_msize = routine!(self, _aligned_msize);
        self.recorder.read("_aligned_msize", block);
        // SAFETY: a live block of the aligned family.
        Ok(unsafe { aligned_msize(block.pointer(), alignment, offset) })
    }

    /// Calls `_aligned_free`.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn aligned_free(&self, block: Block) -> Result<(), Stop> {
        let aligned_free = routine!(self, _aligned_free);
        let taken = self.recorder.take(block.pointer(), Request::of(0));
        // SAFETY: a live block of the aligned family, given up by its owner.
        unsafe { aligned_free(block.pointer()) };
        self.recorder.freed("_aligned_free", taken);
        Ok(())
    }

    /// Calls `_heapmin`.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn heapmin(&self) -> Result<i32, Stop> {
        let heapmin = routine!(self, _heapmin);
        // SAFETY: it takes no argument.
        let returned = unsafe { heapmin() };
        self.recorder.released("_heapmin", returned == 0);
        Ok(returned)
    }

    /// Calls `_heapchk`.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn heapchk(&self) -> Result<i32, Stop> {
        let heapchk = routine!(self, _heapchk);
        self.recorder.walked("_heapchk");
        // SAFETY: it takes no argument.
        Ok(unsafe { heapchk() })
    }

    /// Calls `_heapwalk`, which replaces `info` with the next entry.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn heapwalk(&self, info: &mut HeapInfo) -> Result<i32, Stop> {
        let heapwalk = routine!(self, _heapwalk);
        if info.entry.is_null() {
            self.recorder.walked("_heapwalk");
        }
        // SAFETY: an entry that the candidate returned, the start of a walk, or an invalid
        // entry that the candidate must recognise.
        Ok(unsafe { heapwalk(info) })
    }

    /// Calls `_heapwalk` with a null pointer.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn heapwalk_null(&self) -> Result<i32, Stop> {
        let heapwalk = routine!(self, _heapwalk);
        // SAFETY: a parameter that its page says is validated.
        Ok(unsafe { heapwalk(std::ptr::null_mut()) })
    }

    /// Calls `_heapset`.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn heapset(&self, fill: u32) -> Result<i32, Stop> {
        let heapset = routine!(self, _heapset);
        self.recorder.released("_heapset", false);
        // SAFETY: it takes a number.
        Ok(unsafe { heapset(fill) })
    }

    /// Calls `_heapadd`.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn heapadd(&self, block: &Block) -> Result<i32, Stop> {
        let heapadd = routine!(self, _heapadd);
        // SAFETY: memory that the probe owns and does not use again.
        Ok(unsafe { heapadd(block.pointer(), block.size()) })
    }

    /// Calls `_get_heap_handle`.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn heap_handle(&self) -> Result<isize, Stop> {
        let get_heap_handle = routine!(self, _get_heap_handle);
        // SAFETY: it takes no argument.
        Ok(unsafe { get_heap_handle() })
    }

    /// Calls `_get_errno`; returns the status and the value.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn get_errno(&self) -> Result<(i32, i32), Stop> {
        let get_errno = routine!(self, _get_errno);
        let mut value = -1;
        // SAFETY: a variable of the type on its page.
        let returned = unsafe { get_errno(&mut value) };
        Ok((returned, value))
    }

    /// Calls `_get_errno` with a null pointer.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn get_errno_null(&self) -> Result<i32, Stop> {
        let get_errno = routine!(self, _get_errno);
        // SAFETY: a parameter that its page says is validated.
        Ok(unsafe { get_errno(std::ptr::null_mut()) })
    }

    /// Calls `_set_errno`.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn call_set_errno(&self, value: i32) -> Result<i32, Stop> {
        let set_errno = routine!(self, _set_errno);
        // SAFETY: it takes a number.
        Ok(unsafe { set_errno(value) })
    }

    /// Calls `_get_doserrno`; returns the status and the value.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn get_doserrno(&self) -> Result<(i32, u32), Stop> {
        let get_doserrno = routine!(self, _get_doserrno);
        let mut value = 0;
        // SAFETY: room for an unsigned long of either size.
        let returned = unsafe { get_doserrno(&mut value) };
        Ok((returned, value as u32))
    }

    /// Calls `_get_doserrno` with a null pointer.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn get_doserrno_null(&self) -> Result<i32, Stop> {
        let get_doserrno = routine!(self, _get_doserrno);
        // SAFETY: a parameter that its page says is validated.
        Ok(unsafe { get_doserrno(std::ptr::null_mut()) })
    }

    /// Calls `_set_doserrno`.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn call_set_doserrno(&self, value: u32) -> Result<i32, Stop> {
        let set_doserrno = routine!(self, _set_doserrno);
        // SAFETY: it takes a number.
        Ok(unsafe { set_doserrno(value) })
    }

    /// The library's text for an error number, from `__sys_errlist` or else from `strerror`.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn error_text(&self, number: i32) -> Result<String, Stop> {
        let text = match (self.routines.__sys_errlist, self.routines.__sys_nerr) {
            // SAFETY: the list has `count` texts, and none is null, as the page says.
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
        // SAFETY: a string of the library's, copied before the next call.
        let text = unsafe { std::ffi::CStr::from_ptr(text) };
        Ok(text.to_string_lossy().into_owned())
    }
}
