//! Loads libraries as their users load them, and looks up addresses in them.

use crate::library::routines::names_of;
use libloading::Library;
use std::ffi::{OsStr, c_void};
use std::mem::ManuallyDrop;
use std::ptr;

/// A loaded library. It is never unloaded: the candidate's exit code must not run.
pub(in crate::probe) struct Loaded {
    opened: ManuallyDrop<Library>,
    /// Its own exports, if they are known: the loader would also find a name in the
    /// libraries that this one needs.
    exports: Option<Vec<String>>,
}

impl Loaded {
    /// Loads a library. `exports` are the names that its file exports, if it was read.
    ///
    /// # Errors
    /// The loader's message.
    pub(in crate::probe) fn open(
        name: &OsStr,
        exports: Option<Vec<String>>,
    ) -> Result<Loaded, String> {
        Ok(Loaded {
            opened: ManuallyDrop::new(open(name)?),
            exports,
        })
    }

    /// This program itself.
    ///
    /// # Errors
    /// The loader's message.
    #[cfg(windows)]
    pub(super) fn this_program() -> Result<Loaded, String> {
        use libloading::os::windows::Library as WindowsLibrary;
        let this = WindowsLibrary::this().map_err(|error| with_cause(&error))?;
        Ok(Loaded {
            opened: ManuallyDrop::new(this.into()),
            exports: None,
        })
    }

    /// The address of a routine that is exported by any of its names, or null.
    pub(super) fn address_of(&self, routine: &str) -> *const c_void {
        let is_exported = |name: &&str| match &self.exports {
            Some(exports) => exports.iter().any(|export| export == name),
            None => true,
        };
        let names = names_of(routine).filter(is_exported);
        let mut addresses = names.map(|name| self.find(name));
        let found = addresses.find(|address| !address.is_null());
        found.unwrap_or(ptr::null())
    }

    /// The address of a symbol, of this library or one that it needs, or null.
    pub(in crate::probe) fn find(&self, name: &str) -> *const c_void {
        // SAFETY: only the address of the symbol is used here.
        let symbol = unsafe { self.opened.get::<*const c_void>(name.as_bytes()) };
        symbol.map_or(ptr::null(), |symbol| *symbol)
    }

    /// Unloads the library, unless the loader keeps it for another reason.
    ///
    /// # Safety
    /// Neither this value nor an address in the library is used again.
    #[cfg(target_os = "linux")]
    pub(in crate::probe) unsafe fn close(&self) {
        // SAFETY: the copy closes the handle, which is not used again, and `ManuallyDrop`
        // does not close it.
        drop(unsafe { ptr::read(&*self.opened) });
    }

    /// The loader's handle of the library.
    pub(super) fn handle(&self) -> *mut c_void {
        #[cfg(unix)]
        use libloading::os::unix::Library as SystemLibrary;
        #[cfg(windows)]
        use libloading::os::windows::Library as SystemLibrary;
        // SAFETY: the copy only yields the handle and closes nothing.
        let raw = unsafe {
            let copy: Library = ptr::read(&*self.opened);
            SystemLibrary::from(copy).into_raw()
        };
        #[cfg(unix)]
        return raw;
        #[cfg(windows)]
        return raw as *mut c_void;
    }

    /// The file of the library; `None` if the loader does not name it. `address` lies in it.
    #[cfg(windows)]
    pub(super) fn file(&self, _: *const c_void) -> Option<String> {
        use windows_sys::Win32::System::LibraryLoader::GetModuleFileNameW;
        // By handle: the handle of an API set is that of the library that implements it.
        let mut name = [0u16; 1024];
        let size = name.len() as u32;
        // SAFETY: a buffer with its length.
        let length = unsafe { GetModuleFileNameW(self.handle(), name.as_mut_ptr(), size) };
        (length > 0).then(|| String::from_utf16_lossy(&name[..length as usize]))
    }

    /// The file of the library; `None` if the loader does not name it. `address` lies in it.
    #[cfg(unix)]
    pub(super) fn file(&self, address: *const c_void) -> Option<String> {
        file_of(address)
    }
}

/// The loader's handle of the library that contains an address of this process.
#[cfg(windows)]
pub(super) fn module_at(address: *const c_void) -> Option<*mut c_void> {
    use windows_sys::Win32::System::LibraryLoader::{
        GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
        GetModuleHandleExW,
    };
    let flags =
        GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
    let mut module = ptr::null_mut();
    // SAFETY: with this flag the call takes any address; `module` receives a handle or null.
    let found = unsafe { GetModuleHandleExW(flags, address.cast(), &mut module) };
    (found != 0).then_some(module)
}

/// The file that contains an address of this process.
#[cfg(unix)]
pub(super) fn file_of(address: *const c_void) -> Option<String> {
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

/// Whether the loader binds a library's calls of its own routines to them, and not to
/// those of the program. glibc does so with `RTLD_DEEPBIND`; a sanitizer's runtime ends
/// the process at this flag.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(super) fn binds_deeply() -> bool {
    const RUNTIMES: [&std::ffi::CStr; 5] = [
        c"__asan_init",
        c"__hwasan_init",
        c"__lsan_init",
        c"__msan_init",
        c"__tsan_init",
    ];
    // SAFETY: looks up a name in the whole process.
    let is_here = |name: &std::ffi::CStr| unsafe {
        !libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()).is_null()
    };
    !RUNTIMES.into_iter().any(is_here)
}

/// As above: musl and macOS do not know the flag. On macOS a library finds its own
/// routines first without it.
#[cfg(all(unix, not(all(target_os = "linux", target_env = "gnu"))))]
pub(super) fn binds_deeply() -> bool {
    false
}

#[cfg(unix)]
fn open(name: &OsStr) -> Result<Library, String> {
    use libloading::os::unix::{Library as UnixLibrary, RTLD_LAZY, RTLD_LOCAL};
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    let deep = if binds_deeply() {
        libc::RTLD_DEEPBIND
    } else {
        0
    };
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    let deep = 0;
    // SAFETY: this process exists to run the candidate's constructors.
    let library = unsafe { UnixLibrary::open(Some(name), RTLD_LAZY | RTLD_LOCAL | deep) };
    library
        .map(Library::from)
        .map_err(|error| with_cause(&error))
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

/// The loader's message, which is the source of `libloading`'s error.
fn with_cause(error: &libloading::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => cause.to_string(),
        None => error.to_string(),
    }
}
