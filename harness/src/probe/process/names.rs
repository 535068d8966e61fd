//! The names that POSIX, C23 and the manual pages of Linux give to routines that allocate
//! or free.

use crate::probe::Stop;
use crate::probe::crt::Crt;
use std::ffi::{CStr, CString, c_int, c_void};
use std::ptr;

type Pointer = *mut c_void;

/// The routines of these names that the candidate itself exports.
pub struct Posix<'a>(&'a Crt);

/// The file in which the process finds a routine by its name, if that is not the
/// candidate's. `None` if it is the candidate's, or if the process finds none.
///
/// # Errors
/// [`Stop::Missing`] if the candidate has no `malloc`.
pub fn resolves_to(crt: &Crt, name: &str) -> Result<Option<String>, Stop> {
    let Ok(symbol) = CString::new(name) else {
        return Ok(None);
    };
    // SAFETY: only the address is used.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, symbol.as_ptr()) };
    if address.is_null() {
        return Ok(None);
    }
    let [malloc, ..] = crt.addresses()?;
    let (own, found) = (object_of(malloc), object_of(address));
    Ok(match (own, found) {
        (Some((own, _)), Some((found, file))) if own != found => Some(file),
        _ => None,
    })
}

/// The address where the object with this address is loaded, and its file.
fn object_of(address: *const c_void) -> Option<(usize, String)> {
    // SAFETY: plain data, for which zeros are a value; `dladdr` accepts any address.
    let (found, info) = unsafe {
        let mut info: libc::Dl_info = std::mem::zeroed();
        (libc::dladdr(address, &mut info), info)
    };
    if found == 0 || info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: a string of the loader's.
    let file = unsafe { CStr::from_ptr(info.dli_fname) };
    Some((info.dli_fbase as usize, file.to_string_lossy().into_owned()))
}

impl<'a> Posix<'a> {
    /// The routines of this candidate.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the candidate has no `malloc`.
    pub fn find(crt: &'a Crt) -> Result<Posix<'a>, Stop> {
        crt.addresses().map(|_| Posix(crt))
    }

    /// Whether the candidate exports the routine.
    pub fn has(&self, name: &str) -> bool {
        self.address(name).is_some()
    }

    /// The address of an export of the candidate itself, not of a library that it needs.
    fn address(&self, name: &str) -> Option<*const c_void> {
        let [malloc, ..] = self.0.addresses().ok()?;
        let address = self.0.address(name);
        if address.is_null() {
            return None;
        }
        let base = |address| object_of(address).map(|(base, _)| base);
        (base(address) == base(malloc)).then_some(address)
    }

    fn need(&self, name: &'static str) -> Result<*const c_void, Stop> {
        self.address(name).ok_or(Stop::Missing(name))
    }

    /// Calls `aligned_alloc` or `memalign`, or `valloc` or `pvalloc`, which take no
    /// alignment. Returns the address of the block.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the candidate does not export the routine.
    pub fn aligned(
        &self,
        name: &'static str,
        alignment: usize,
        size: usize,
    ) -> Result<Option<usize>, Stop> {
        let address = self.need(name)?;
        // SAFETY: routines with the signatures of their pages.
        let block = unsafe {
            match name {
                "valloc" | "pvalloc" => std::mem::transmute::<
                    *const c_void,
                    unsafe extern "C" fn(usize) -> Pointer,
                >(address)(size),
                _ => std::mem::transmute::<
                    *const c_void,
                    unsafe extern "C" fn(usize, usize) -> Pointer,
                >(address)(alignment, size),
            }
        };
        Ok((!block.is_null()).then_some(block as usize))
    }

    /// Calls `posix_memalign`. Returns its result and the address of the block.
    ///
    /// # Errors
    /// As [`Posix::aligned`].
    pub fn posix_memalign(&self, alignment: usize, size: usize) -> Result<(i32, usize), Stop> {
        let address = self.need("posix_memalign")?;
        let mut block: Pointer = ptr::null_mut();
        // SAFETY: a routine with the signature of its page, and room for the result.
        let returned = unsafe {
            std::mem::transmute::<
                *const c_void,
                unsafe extern "C" fn(*mut Pointer, usize, usize) -> c_int,
            >(address)(&mut block, alignment, size)
        };
        Ok((returned, block as usize))
    }

    /// Calls `reallocarray`. Returns the address of the block, 0 for null.
    ///
    /// # Errors
    /// As [`Posix::aligned`].
    pub fn reallocarray(&self, block: usize, count: usize, size: usize) -> Result<usize, Stop> {
        let address = self.need("reallocarray")?;
        // SAFETY: a routine with the signature of its page, and a live block or null.
        let block = unsafe {
            std::mem::transmute::<
                *const c_void,
                unsafe extern "C" fn(Pointer, usize, usize) -> Pointer,
            >(address)(block as Pointer, count, size)
        };
        Ok(block as usize)
    }

    /// Calls `malloc_usable_size`.
    ///
    /// # Errors
    /// As [`Posix::aligned`].
    pub fn usable_size(&self, block: usize) -> Result<usize, Stop> {
        let address = self.need("malloc_usable_size")?;
        // SAFETY: a routine with the signature of its page, and a live block or null.
        Ok(unsafe {
            std::mem::transmute::<*const c_void, unsafe extern "C" fn(Pointer) -> usize>(address)(
                block as Pointer,
            )
        })
    }

    /// Calls `free_sized`.
    ///
    /// # Errors
    /// As [`Posix::aligned`].
    pub fn free_sized(&self, block: usize, size: usize) -> Result<(), Stop> {
        let address = self.need("free_sized")?;
        // SAFETY: a routine with the signature of its page, and a live block or null.
        unsafe {
            std::mem::transmute::<*const c_void, unsafe extern "C" fn(Pointer, usize)>(address)(
                block as Pointer,
                size,
            )
        };
        Ok(())
    }

    /// Calls `free_aligned_sized`.
    ///
    /// # Errors
    /// As [`Posix::aligned`].
    pub fn free_aligned_sized(
        &self,
        block: usize,
        alignment: usize,
        size: usize,
    ) -> Result<(), Stop> {
        let address = self.need("free_aligned_sized")?;
        // SAFETY: a routine with the signature of its page, and a live block or null.
        unsafe {
            std::mem::transmute::<*const c_void, unsafe extern "C" fn(Pointer, usize, usize)>(
                address,
            )(block as Pointer, alignment, size)
        };
        Ok(())
    }
}
