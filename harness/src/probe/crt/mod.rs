//! The candidate's routines with their types, and its `errno`. All calls of the candidate
//! are in this folder.

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

/// An entry of the candidate's heap, as `_heapwalk` returns it (`_HEAPINFO`).
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct HeapInfo {
    /// The address of the entry's first byte.
    pub entry: *mut c_void,
    /// Its size in bytes.
    pub size: usize,
    /// 1 (`_USEDENTRY`) or 0 (`_FREEENTRY`).
    pub use_flag: c_int,
}

impl HeapInfo {
    /// The value that starts a walk.
    pub const START: HeapInfo = HeapInfo {
        entry: ptr::null_mut(),
        size: 0,
        use_flag: 0,
    };
}

/// The place of the candidate's `errno`.
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
    /// Loads the job's library and looks up its routines.
    ///
    /// # Errors
    /// The loader's message.
    pub fn load(job: &Job) -> Result<Crt, String> {
        // Never unloaded: the candidate's exit code must not run.
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

    /// The same routines, loaded by the library's other name.
    ///
    /// # Errors
    /// If the library has no other name, or the name cannot be loaded.
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
            .map_err(|error| Stop::NotJudged(format!("{name} cannot be loaded: {error}")))
    }

    /// The file that the loader loaded; `None` if the loader does not name it.
    pub fn loaded_from(&self) -> Option<String> {
        let heapmin = self.routines._heapmin;
        let address = heapmin.map_or(ptr::null(), |f| f as *const c_void);
        module_path(&self.handle, address)
    }

    /// The address where Windows loaded the library. Null on Unix, where a library can
    /// have several places.
    pub(super) fn module(&self) -> *const u8 {
        #[cfg(windows)]
        return module_handle(&self.handle) as *const u8;
        #[cfg(unix)]
        std::ptr::null()
    }

    /// Whether the library has this routine, one of
    /// [`ROUTINES`](crate::library::routines::ROUTINES).
    pub fn has(&self, routine: &str) -> bool {
        self.routines.has(routine)
    }

    /// Sets these error values and calls a routine. Returns its value, and the call with
    /// its result and the error values after it. `arguments` are those of the call, as text.
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
        // Last, since the calls above may change it.
        if self.has_errno_of_its_own() {
            host::set_last_error(start.last_error);
        }
        let value = call(self)?;
        // Before any code of the probe can set them.
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

    /// Calls `_heapmin` with these error values; see [`Crt::observe`].
    pub fn observed_heapmin(&self, start: ErrorState) -> Result<Call, Stop> {
        let seen = self.observe("_heapmin", "", start, Crt::heapmin);
        seen.map(|(_, call)| call)
    }

    /// This thread's `errno`; `None` if its place is unknown.
    pub fn errno(&self) -> Option<i32> {
        // SAFETY: the candidate returned the address of a variable of this thread.
        self.errno_location().map(|at| unsafe { at.read() })
    }

    /// Sets this thread's `errno`, if its place is known.
    pub fn set_errno(&self, value: i32) {
        if let Some(at) = self.errno_location() {
            // SAFETY: as in `errno`.
            unsafe { at.write(value) };
        }
    }

    fn errno_location(&self) -> Option<*mut i32> {
        match self.errno {
            // SAFETY: it takes no argument.
            Errno::Own(pointer) => Some(unsafe { pointer() }).filter(|at| !at.is_null()),
            #[cfg(unix)]
            Errno::Host => Some(host::errno_location()),
            #[cfg(windows)]
            Errno::Unknown => None,
        }
    }

    /// Whether `errno` and the system's last error are different variables.
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
        // SAFETY: the candidate returns the address of a variable of this thread.
        self.routines
            .__doserrno
            .map(|pointer| unsafe { pointer().read() })
    }

    /// Sets this thread's `errno` and `_doserrno`, if their places are known.
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

/// A value that a routine returns, which can be recorded as plain data.
pub trait Returned {
    /// The kind of value, and a number for it.
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

/// The new block, or the old block if the routine returned null.
impl Returned for Result<Block, Block> {
    fn describe(&self) -> (Kind, i64) {
        (Kind::Pointer, self.is_ok().into())
    }
}

/// The address of an export, or null. `exports` are the library's own exports if they are
/// known: the loader would also find a name in the libraries that this one needs.
fn address_of(library: &Library, name: &str, exports: Option<&[String]>) -> *const c_void {
    if exports.is_some_and(|exports| !exports.iter().any(|export| export == name)) {
        return ptr::null();
    }
    // SAFETY: only the address of the symbol is used here.
    let symbol = unsafe { library.get::<*const c_void>(name.as_bytes()) };
    symbol.map_or(ptr::null(), |symbol| *symbol)
}

#[cfg(unix)]
fn open(name: &OsStr) -> Result<Library, String> {
    // SAFETY: this process exists to run the candidate's constructors.
    unsafe { Library::new(name) }.map_err(|error| with_cause(&error))
}

/// The loader's message, which is the source of `libloading`'s error.
fn with_cause(error: &libloading::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => cause.to_string(),
        None => error.to_string(),
    }
}

#[cfg(windows)]
fn open(name: &OsStr) -> Result<Library, String> {
    use libloading::os::windows::{LOAD_WITH_ALTERED_SEARCH_PATH, Library as WindowsLibrary};
    // For a path, search the library's own folder for the libraries that it needs.
    let flags = if name.to_string_lossy().contains('\\') {
        LOAD_WITH_ALTERED_SEARCH_PATH
    } else {
        0
    };
    // SAFETY: this process exists to run the candidate's DllMain.
    let library = unsafe { WindowsLibrary::load_with_flags(name, flags) };
    library
        .map(Library::from)
        .map_err(|error| with_cause(&error))
}

#[cfg(unix)]
fn module_path(_: &Library, address: *const c_void) -> Option<String> {
    // SAFETY: plain data, for which zeros are a value; `dladdr` fills it in.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: `dladdr` accepts any address.
    if unsafe { libc::dladdr(address, &mut info) } == 0 || info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: a string of the loader's, which is valid as long as the library is loaded.
    let name = unsafe { std::ffi::CStr::from_ptr(info.dli_fname) };
    Some(name.to_string_lossy().into_owned())
}

#[cfg(windows)]
fn module_handle(library: &Library) -> isize {
    use libloading::os::windows::Library as WindowsLibrary;
    // SAFETY: the copy only yields the library's handle and closes nothing.
    unsafe {
        let copy: Library = ptr::read(library);
        WindowsLibrary::from(copy).into_raw() as isize
    }
}

#[cfg(windows)]
fn module_path(library: &Library, _: *const c_void) -> Option<String> {
    use windows_sys::Win32::System::LibraryLoader::GetModuleFileNameW;
    // By handle: the handle of an API set is that of the library that implements it.
    let handle = module_handle(library);
    let mut name = [0u16; 1024];
    // SAFETY: a buffer with its length.
    let length = unsafe { GetModuleFileNameW(handle as _, name.as_mut_ptr(), name.len() as u32) };
    (length > 0).then(|| String::from_utf16_lossy(&name[..length as usize]))
}
