//! The candidate: its routines, typed, and its `errno`. All foreign calls are
//! made in this folder.

mod bare;
mod block;
mod calls;
mod invalid_parameter;
mod routines;

pub use bare::{Bare, BareBlock};
pub use block::Block;
pub use invalid_parameter::{WhichHandler, handler_calls};

use super::{ErrorState, Stop, host};
use crate::wire::job::Job;
use crate::wire::observation::{Call, Kind};
use libloading::Library;
use routines::{Homes, Routines};
use std::ffi::{OsStr, c_int, c_void};
use std::mem::ManuallyDrop;
use std::ptr;

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

/// Where the candidate keeps `errno`.
#[derive(Clone, Copy)]
enum Errno {
    Own(unsafe extern "C" fn() -> *mut c_int),
    #[cfg(unix)]
    Host,
    #[cfg(windows)]
    Unknown,
}

/// The routines of a loaded library.
pub struct Crt {
    handle: ManuallyDrop<Library>,
    alias_name: Option<String>,
    routines: Routines,
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
            Some(name) => Some(ManuallyDrop::new(open(name.as_ref())?)),
            None => None,
        };
        let errno_home = errno_library.as_ref().unwrap_or(&library);
        let own_exports = job.exports.as_deref();
        let errno_exports = if errno_library.is_some() {
            None
        } else {
            own_exports
        };
        let in_library = |name: &str| address_of(&library, name, own_exports);
        let beside_errno = |name: &str| address_of(errno_home, name, errno_exports);
        let homes = Homes {
            heap: &in_library,
            runtime: &beside_errno,
        };
        // SAFETY: the addresses are of exports with these names.
        let routines = unsafe { Routines::find(&homes) };
        Ok(Crt {
            errno: match routines._errno {
                Some(pointer) => Errno::Own(pointer),
                #[cfg(unix)]
                None => Errno::Host,
                #[cfg(windows)]
                None => Errno::Unknown,
            },
            routines,
            alias_name: job.alias.clone(),
            handle: library,
        })
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
            load_name: name.clone().into(),
            ..Job::default()
        };
        Crt::load(&job)
            .map_err(|error| Stop::NotApplicable(format!("{name} cannot be loaded: {error}")))
    }

    /// The file that the loader took.
    pub fn loaded_from(&self) -> Option<String> {
        let heapmin = self.routines._heapmin;
        let address = heapmin.map_or(ptr::null(), |f| f as *const c_void);
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

    /// Whether the loader finds this routine, one of [`ROUTINES`](crate::library::routines::ROUTINES).
    pub fn has(&self, routine: &str) -> bool {
        self.routines.has(routine)
    }

    /// Calls a routine, with these error values set, and notes what it
    /// returned and what became of them. `arguments` says what it is called with.
    pub fn observe<T: Returned>(
        &self,
        routine: &str,
        arguments: &str,
        start: ErrorState,
        call: impl FnOnce(&Crt) -> Result<T, Stop>,
    ) -> Result<(T, Call), Stop> {
        let (first, second) = handler_calls();
        self.set_errno(start.errno);
        self.set_doserrno(start.doserrno);
        // Last, since the accessors above may change it.
        if self.has_errno_of_its_own() {
            host::set_last_error(start.last_error);
        }
        let value = call(self)?;
        // Read before anything of ours can set them.
        let (errno, doserrno) = (self.errno(), self.doserrno());
        let now = handler_calls();
        let (kind, returned) = value.describe();
        let call = Call {
            routine: routine.to_owned(),
            arguments: arguments.to_owned(),
            kind,
            returned,
            errno: errno.map(|after| (start.errno, after)),
            doserrno: doserrno.map(|after| (start.doserrno, after)),
            last_error_before: if self.has_errno_of_its_own() {
                start.last_error
            } else {
                start.errno as u32
            },
            handler_calls: now.0 - first + now.1 - second,
            refusals: None,
        };
        Ok((value, call))
    }

    /// Calls `_heapmin` with these error values set and notes what became of them.
    pub fn observed_heapmin(&self, start: ErrorState) -> Result<Call, Stop> {
        let seen = self.observe("_heapmin", "", start, Crt::heapmin);
        seen.map(|(_, call)| call)
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

    /// This thread's `_doserrno`, if the library has one.
    pub fn doserrno(&self) -> Option<u32> {
        // SAFETY: the candidate's address of a variable of this thread.
        self.routines
            .__doserrno
            .map(|pointer| unsafe { pointer().read() })
    }

    /// Sets this thread's `errno` and `_doserrno`, as far as they are known.
    pub fn set_error_values(&self, errno: i32, doserrno: u32) {
        self.set_errno(errno);
        self.set_doserrno(doserrno);
    }

    fn set_doserrno(&self, value: u32) {
        if let Some(pointer) = self.routines.__doserrno {
            // SAFETY: as in `doserrno`.
            unsafe { pointer().write(value) };
        }
    }
}

/// What a call's result is, as plain data.
pub trait Returned {
    /// Its kind, and the number that stands for it.
    fn describe(&self) -> (Kind, i64);
}

impl Returned for () {
    fn describe(&self) -> (Kind, i64) {
        (Kind::Nothing, 0)
    }
}

impl Returned for i32 {
    fn describe(&self) -> (Kind, i64) {
        (Kind::Number, (*self).into())
    }
}

impl Returned for usize {
    fn describe(&self) -> (Kind, i64) {
        (Kind::Size, *self as i64)
    }
}

impl Returned for Option<Block> {
    fn describe(&self) -> (Kind, i64) {
        (Kind::Pointer, self.is_some().into())
    }
}

/// A new block, or the old one back if null was given.
impl Returned for Result<Block, Block> {
    fn describe(&self) -> (Kind, i64) {
        (Kind::Pointer, self.is_ok().into())
    }
}

/// The address of an export, or null. Only one that the library itself
/// exports: the loader would also search the libraries that this one needs.
fn address_of(library: &Library, name: &str, exports: Option<&[String]>) -> *const c_void {
    if exports.is_some_and(|exports| !exports.iter().any(|export| export == name)) {
        return ptr::null();
    }
    // SAFETY: an address is all that is made of the symbol here.
    let symbol = unsafe { library.get::<*const c_void>(name.as_bytes()) };
    symbol.map_or(ptr::null(), |symbol| *symbol)
}

#[cfg(unix)]
fn open(name: &OsStr) -> Result<Library, String> {
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
fn open(name: &OsStr) -> Result<Library, String> {
    use libloading::os::windows::{LOAD_WITH_ALTERED_SEARCH_PATH, Library as WindowsLibrary};
    // Given by path, a library finds its neighbours in its own folder.
    let flags = if name.to_string_lossy().contains('\\') {
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
