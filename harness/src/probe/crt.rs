//! The candidate's routines, typed. All foreign calls are made here.

use super::{ErrorState, Stop, host};
use crate::channel::Job;
use crate::observation::Call;
use libloading::Library;
use std::ffi::{c_int, c_void};
use std::mem::ManuallyDrop;
use std::ptr;

/// A block of the candidate.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    address: *mut u8,
    size: usize,
}

// SAFETY: memory of the process; any thread may use it, one owner at a time.
unsafe impl Send for Block {}

/// An entry of the candidate's heap, as `_heapwalk` gives it (`_HEAPINFO`).
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct HeapInfo {
    /// The entry's first byte.
    pub entry: *mut c_void,
    /// Its bytes.
    pub size: usize,
    /// 1 (`_USEDENTRY`) or 0 (`_FREEENTRY`).
    pub use_flag: c_int,
}

impl HeapInfo {
    /// Where a walk starts.
    pub const START: HeapInfo = HeapInfo {
        entry: ptr::null_mut(),
        size: 0,
        use_flag: 0,
    };
}

type Malloc = unsafe extern "C" fn(usize) -> *mut c_void;
type Realloc = unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void;
type Free = unsafe extern "C" fn(*mut c_void);
type Msize = unsafe extern "C" fn(*mut c_void) -> usize;
type Heapmin = unsafe extern "C" fn() -> c_int;
type Heapwalk = unsafe extern "C" fn(*mut HeapInfo) -> c_int;
type IntPointer = unsafe extern "C" fn() -> *mut c_int;
type LongPointer = unsafe extern "C" fn() -> *mut u32;

/// Every name that a probe looks up.
pub const ROUTINES: [&str; 9] = [
    "malloc",
    "realloc",
    "free",
    "_msize",
    "_heapmin",
    "_heapchk",
    "_heapwalk",
    "_errno",
    "__doserrno",
];

/// Where the candidate keeps `errno`.
#[derive(Clone, Copy)]
enum Errno {
    Own(IntPointer),
    #[cfg(unix)]
    Host,
    #[cfg(windows)]
    Unknown,
}

/// The routines of a loaded library.
pub struct Crt {
    handle: ManuallyDrop<Library>,
    alias_name: Option<String>,
    malloc: Option<Malloc>,
    realloc: Option<Realloc>,
    free: Option<Free>,
    msize: Option<Msize>,
    heapmin: Option<Heapmin>,
    heapchk: Option<Heapmin>,
    heapwalk: Option<Heapwalk>,
    doserrno: Option<LongPointer>,
    errno: Errno,
}

impl Crt {
    /// Loads the job's library and looks its routines up.
    ///
    /// # Errors
    /// The loader's message.
    pub fn load(job: &Job) -> Result<Crt, String> {
        // It stays loaded to the end: a candidate's exit code has no say here.
        let library = ManuallyDrop::new(open(&job.load_name)?);
        let errno_library = match &job.errno_library {
            Some(name) => Some(ManuallyDrop::new(open(name)?)),
            None => None,
        };
        let errno_home = errno_library.as_ref().unwrap_or(&library);
        let own_exports = job.exports.as_deref();
        let errno_exports = if errno_library.is_some() {
            None
        } else {
            own_exports
        };
        let own = |name: &str| is_exported(own_exports, name);
        let errno_own = |name: &str| is_exported(errno_exports, name);
        // SAFETY: each name stands for a routine with the signature that its
        // page gives; a library that breaks it is what the probe is for.
        unsafe {
            Ok(Crt {
                malloc: look_up(&library, "malloc", own),
                realloc: look_up(&library, "realloc", own),
                free: look_up(&library, "free", own),
                msize: look_up(&library, "_msize", own),
                heapmin: look_up(&library, "_heapmin", own),
                heapchk: look_up(&library, "_heapchk", own),
                heapwalk: look_up(&library, "_heapwalk", own),
                doserrno: look_up(errno_home, "__doserrno", errno_own),
                errno: match look_up(errno_home, "_errno", errno_own) {
                    Some(pointer) => Errno::Own(pointer),
                    #[cfg(unix)]
                    None => Errno::Host,
                    #[cfg(windows)]
                    None => Errno::Unknown,
                },
                alias_name: job.alias.clone(),
                handle: library,
            })
        }
    }

    /// The same routines reached through the library's other name, if it has one.
    ///
    /// # Errors
    /// If there is no other name, or it cannot be loaded.
    pub fn alias(&self) -> Result<Crt, Stop> {
        let name = self
            .alias_name
            .clone()
            .ok_or_else(|| Stop::NotApplicable("the library has no second name here".into()))?;
        let job = Job {
            token: String::new(),
            case: String::new(),
            load_name: name.clone(),
            exports: None,
            errno_library: None,
            alias: None,
        };
        Crt::load(&job)
            .map_err(|error| Stop::NotApplicable(format!("{name} cannot be loaded: {error}")))
    }

    /// The file that the loader took.
    pub fn loaded_from(&self) -> Option<String> {
        let address = self.heapmin.map_or(ptr::null(), |f| f as *const c_void);
        module_path(&self.handle, address)
    }

    /// Where the loader put the library. Of no use on Unix, where it has no
    /// one place.
    pub(super) fn module(&self) -> *const u8 {
        #[cfg(windows)]
        return module_handle(&self.handle) as *const u8;
        #[cfg(unix)]
        std::ptr::null()
    }

    /// Whether the loader finds `_heapmin`.
    pub fn has_heapmin(&self) -> bool {
        self.heapmin.is_some()
    }

    /// Calls `malloc`; `None` if it gives null.
    pub fn malloc(&self, size: usize) -> Result<Option<Block>, Stop> {
        let malloc = self.malloc.ok_or(Stop::Missing("malloc"))?;
        // SAFETY: the candidate's routine, called as its page says.
        let address: *mut u8 = unsafe { malloc(size) }.cast();
        Ok((!address.is_null()).then_some(Block { address, size }))
    }

    /// Calls `malloc` for a block that the case cannot do without.
    pub fn need(&self, size: usize) -> Result<Block, Stop> {
        self.malloc(size)?.ok_or(Stop::OutOfMemory(size))
    }

    /// Calls `realloc`; the old block is back if it gives null.
    pub fn realloc(&self, block: Block, size: usize) -> Result<Result<Block, Block>, Stop> {
        let realloc = self.realloc.ok_or(Stop::Missing("realloc"))?;
        // SAFETY: a live block of the candidate, given up by its owner.
        let address: *mut u8 = unsafe { realloc(block.address.cast(), size) }.cast();
        Ok(if address.is_null() {
            Err(block)
        } else {
            Ok(Block { address, size })
        })
    }

    /// Calls `free`.
    pub fn free(&self, block: Block) -> Result<(), Stop> {
        let free = self.free.ok_or(Stop::Missing("free"))?;
        // SAFETY: a live block of the candidate, given up by its owner.
        unsafe { free(block.address.cast()) };
        Ok(())
    }

    /// Calls `_msize`.
    pub fn msize(&self, block: &Block) -> Result<usize, Stop> {
        let msize = self.msize.ok_or(Stop::Missing("_msize"))?;
        // SAFETY: a live block of the candidate.
        Ok(unsafe { msize(block.address.cast()) })
    }

    /// Calls `_heapmin`.
    pub fn heapmin(&self) -> Result<i32, Stop> {
        let heapmin = self.heapmin.ok_or(Stop::Missing("_heapmin"))?;
        // SAFETY: it takes nothing.
        Ok(unsafe { heapmin() })
    }

    /// Calls `_heapchk`.
    pub fn heapchk(&self) -> Result<i32, Stop> {
        let heapchk = self.heapchk.ok_or(Stop::Missing("_heapchk"))?;
        // SAFETY: it takes nothing.
        Ok(unsafe { heapchk() })
    }

    /// Calls `_heapwalk`, which replaces the entry by the next.
    pub fn heapwalk(&self, info: &mut HeapInfo) -> Result<i32, Stop> {
        let heapwalk = self.heapwalk.ok_or(Stop::Missing("_heapwalk"))?;
        // SAFETY: an entry that the candidate gave, or the start.
        Ok(unsafe { heapwalk(info) })
    }

    /// Calls `_heapmin` with these error values set and notes what became of them.
    pub fn observed_heapmin(&self, start: ErrorState) -> Result<Call, Stop> {
        let heapmin = self.heapmin.ok_or(Stop::Missing("_heapmin"))?;
        self.set_errno(start.errno);
        self.set_doserrno(start.doserrno);
        // Last, since the accessors above may change it.
        if self.has_errno_of_its_own() {
            host::set_last_error(start.last_error);
        }
        // SAFETY: it takes nothing.
        let returned = unsafe { heapmin() };
        // Read before anything of ours can set them.
        let (errno, doserrno) = (self.errno(), self.doserrno());
        Ok(Call {
            routine: "_heapmin".into(),
            returned: returned.into(),
            errno: errno.map(|after| (start.errno, after)),
            doserrno: doserrno.map(|after| (start.doserrno, after)),
            last_error_before: if self.has_errno_of_its_own() {
                start.last_error
            } else {
                start.errno as u32
            },
            refusals: None,
        })
    }

    /// This thread's `errno`; `None` where nobody can tell where it is.
    pub fn errno(&self) -> Option<i32> {
        // SAFETY: the candidate's address of a variable of this thread.
        self.errno_location().map(|at| unsafe { at.read() })
    }

    /// Sets this thread's `errno`, if it is known where it is.
    pub fn set_errno(&self, value: i32) {
        if let Some(at) = self.errno_location() {
            // SAFETY: as in `errno`.
            unsafe { at.write(value) };
        }
    }

    fn errno_location(&self) -> Option<*mut i32> {
        match self.errno {
            // SAFETY: it takes nothing.
            Errno::Own(pointer) => Some(unsafe { pointer() }).filter(|at| !at.is_null()),
            #[cfg(unix)]
            Errno::Host => Some(host::errno_location()),
            #[cfg(windows)]
            Errno::Unknown => None,
        }
    }

    /// Whether `errno` and the system's last error are two things.
    fn has_errno_of_its_own(&self) -> bool {
        match self.errno {
            Errno::Own(_) => true,
            #[cfg(unix)]
            Errno::Host => false,
            #[cfg(windows)]
            Errno::Unknown => true,
        }
    }

    // `_doserrno` is an unsigned long, whose lower half comes first on every
    // system the probe runs on.
    fn doserrno(&self) -> Option<u32> {
        // SAFETY: the candidate's address of a variable of this thread.
        self.doserrno.map(|pointer| unsafe { pointer().read() })
    }

    fn set_doserrno(&self, value: u32) {
        if let Some(pointer) = self.doserrno {
            // SAFETY: as in `doserrno`.
            unsafe { pointer().write(value) };
        }
    }
}

impl Block {
    /// Its first byte.
    pub fn address(&self) -> usize {
        self.address as usize
    }

    /// The bytes asked for.
    pub fn size(&self) -> usize {
        self.size
    }

    /// A block at an address noted before.
    pub(super) fn at(address: usize, size: usize) -> Block {
        Block {
            address: address as *mut u8,
            size,
        }
    }

    /// Writes every byte, in a pattern of its own for each `seed`.
    pub fn fill(&mut self, seed: u64) {
        // SAFETY: the candidate promised this many bytes.
        let bytes = unsafe { std::slice::from_raw_parts_mut(self.address, self.size) };
        let word = pattern(seed);
        let mut chunks = bytes.chunks_exact_mut(8);
        for chunk in &mut chunks {
            chunk.copy_from_slice(&word);
        }
        let rest = chunks.into_remainder();
        rest.copy_from_slice(&word[..rest.len()]);
    }

    /// How many bytes are no longer as [`Block::fill`] wrote them.
    pub fn lost_bytes(&self, seed: u64) -> usize {
        // SAFETY: the candidate promised this many bytes.
        let bytes = unsafe { std::slice::from_raw_parts(self.address, self.size) };
        let word = pattern(seed);
        let differ = |part: &[u8]| part.iter().zip(word).filter(|(a, b)| *a != b).count();
        let chunks = bytes.chunks_exact(8);
        let rest = differ(chunks.remainder());
        let whole = chunks.filter(|chunk| *chunk != word).map(differ);
        rest + whole.sum::<usize>()
    }
}

/// Eight bytes, none of them zero, that differ from seed to seed.
fn pattern(seed: u64) -> [u8; 8] {
    let mixed = (seed.wrapping_add(1)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed | 0x0101_0101_0101_0101).to_le_bytes()
}

fn is_exported(exports: Option<&[String]>, name: &str) -> bool {
    exports.is_none_or(|exports| exports.iter().any(|export| export == name))
}

/// Finds a routine, but only one that the library itself exports: the loader
/// would also search the libraries that this one needs.
///
/// # Safety
/// `T` is a function pointer of the routine's signature.
unsafe fn look_up<T: Copy>(library: &Library, name: &str, own: impl Fn(&str) -> bool) -> Option<T> {
    if !own(name) {
        return None;
    }
    // SAFETY: the caller's promise.
    let symbol = unsafe { library.get::<T>(name.as_bytes()) };
    symbol.ok().map(|symbol| *symbol)
}

#[cfg(unix)]
fn open(name: &str) -> Result<Library, String> {
    // SAFETY: running a stranger's constructors is what this process is for.
    unsafe { Library::new(name) }.map_err(|error| with_cause(&error))
}

/// The loader's own words are the cause of the crate's error.
fn with_cause(error: &libloading::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => cause.to_string(),
        None => error.to_string(),
    }
}

#[cfg(windows)]
fn open(name: &str) -> Result<Library, String> {
    use libloading::os::windows::{LOAD_WITH_ALTERED_SEARCH_PATH, Library as WindowsLibrary};
    // Given by path, a library finds its neighbours in its own folder.
    let flags = if name.contains('\\') {
        LOAD_WITH_ALTERED_SEARCH_PATH
    } else {
        0
    };
    // SAFETY: running a stranger's DllMain is what this process is for.
    let library = unsafe { WindowsLibrary::load_with_flags(name, flags) };
    library
        .map(Library::from)
        .map_err(|error| with_cause(&error))
}

#[cfg(unix)]
fn module_path(_: &Library, address: *const c_void) -> Option<String> {
    // SAFETY: plain data, for which zeros are a value; the call fills it in.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: any address may be asked about.
    if unsafe { libc::dladdr(address, &mut info) } == 0 || info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: a string of the loader's, which lives as long as the library.
    let name = unsafe { std::ffi::CStr::from_ptr(info.dli_fname) };
    Some(name.to_string_lossy().into_owned())
}

#[cfg(windows)]
fn module_handle(library: &Library) -> isize {
    use libloading::os::windows::Library as WindowsLibrary;
    // SAFETY: the library's own handle, which is used and not closed.
    unsafe {
        let copy: Library = ptr::read(library);
        WindowsLibrary::from(copy).into_raw() as isize
    }
}

#[cfg(windows)]
fn module_path(library: &Library, _: *const c_void) -> Option<String> {
    use windows_sys::Win32::System::LibraryLoader::GetModuleFileNameW;
    // Asked by handle: an API set's handle is that of the library behind it.
    let handle = module_handle(library);
    let mut name = [0u16; 1024];
    // SAFETY: a buffer of the length it says.
    let length = unsafe { GetModuleFileNameW(handle as _, name.as_mut_ptr(), name.len() as u32) };
    (length > 0).then(|| String::from_utf16_lossy(&name[..length as usize]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_changed_byte_is_counted() {
        let mut bytes = [0u8; 29];
        let mut block = Block {
            address: bytes.as_mut_ptr(),
            size: bytes.len(),
        };
        block.fill(7);
        assert_eq!(block.lost_bytes(7), 0);
        assert!(block.lost_bytes(8) > 0);
        for index in [0, 9, 28] {
            bytes[index] = 0;
        }
        let block = Block::at(bytes.as_ptr() as usize, bytes.len());
        assert_eq!(block.lost_bytes(7), 3);
    }
}
