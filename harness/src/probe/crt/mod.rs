//! The candidate's routines with their types, and its `errno`. All calls of the candidate
//! are in this folder.

mod bare;
#[cfg(target_os = "linux")]
mod binding;
mod block;
mod calls;
mod invalid_parameter;
mod loader;
mod new_handler;
mod other_names;
mod places;
mod recorder;
mod routines;
mod strings;
#[cfg(windows)]
mod system_heap;

pub use bare::{Bare, BareBlock};
pub use block::Block;
pub use invalid_parameter::{WhichHandler, handler_calls};
pub(super) use loader::Loaded;
pub use new_handler::{new_handler_calls, new_handler_returns};
pub use places::Places;
pub(super) use recorder::address_space_is_limited;
pub use strings::Text;

use super::{ErrorState, Stop, host, stop};
use crate::library::routines::ROUTINES;
use crate::wire::coverage::Pairs;
use crate::wire::job::Job;
use crate::wire::observation::{self, Call, Kind};
use other_names::OtherNames;
use recorder::Recorder;
use routines::{Homes, Routines};
use std::ffi::{OsStr, c_int, c_void};
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
    candidate: Loaded,
    /// The library that has the heap routines that `candidate` does not have.
    heap: Option<Loaded>,
    alias_name: Option<String>,
    routines: Routines,
    errno: Errno,
    recorder: Recorder,
}

/// Why a library cannot be used.
pub(super) enum Unusable {
    /// The loader's message.
    Rejected(String),
    /// It calls this routine in another library instead of its own.
    Elsewhere {
        routine: String,
        /// The file of the other library.
        file: String,
    },
}

impl Crt {
    /// Loads the job's libraries and looks up their routines.
    ///
    /// # Errors
    /// If the loader rejects a library, or if a library calls another library's routines
    /// instead of its own.
    pub(super) fn load(job: &Job) -> Result<Crt, Unusable> {
        #[cfg(windows)]
        if job.load_name == crate::wire::job::SYSTEM_HEAP {
            return Crt::of_the_system(job.record).map_err(Unusable::Rejected);
        }
        let open = |name: &OsStr, exports| Loaded::open(name, exports).map_err(Unusable::Rejected);
        let library = open(&job.load_name, job.exports.clone())?;
        #[cfg(target_os = "linux")]
        binding::bind(&library, &job.own_calls).map_err(|it| Unusable::Elsewhere {
            routine: it.routine,
            file: it.file,
        })?;
        let heap = match job.heap.is_empty() {
            true => None,
            false => Some(open(&job.heap, job.heap_exports.clone())?),
        };
        let errno_library = match &job.errno_library {
            Some(name) => Some(open(name.as_ref(), None)?),
            None => None,
        };
        let names = OtherNames::open(&job.names).map_err(Unusable::Rejected)?;
        let in_heap = |name: &str| {
            if let Some(address) = names.address_of(name, &library) {
                return address;
            }
            match (library.address_of(name), &heap) {
                (address, Some(heap)) if address.is_null() => heap.address_of(name),
                (address, _) => address,
            }
        };
        let in_runtime = |name: &str| match &errno_library {
            Some(library) => library.address_of(name),
            None => in_heap(name),
        };
        let homes = Homes {
            heap: &in_heap,
            runtime: &in_runtime,
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
            candidate: library,
            heap,
            recorder: Recorder::new(job.record),
        })
    }

    /// Where each routine was found.
    pub(super) fn homes(&self) -> observation::Homes {
        let mut homes = observation::Homes::default();
        for routine in ROUTINES.iter().filter(|routine| self.has(routine)) {
            let has = |library: &Loaded| !library.address_of(routine).is_null();
            let home = match &self.heap {
                _ if has(&self.candidate) => &mut homes.candidate,
                Some(heap) if has(heap) => &mut homes.heap,
                _ => &mut homes.runtime,
            };
            home.push((*routine).to_owned());
        }
        homes
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
        Crt::load(&job).map_err(|why| match why {
            Unusable::Rejected(error) => {
                Stop::NotJudged(format!("{name} cannot be loaded: {error}"))
            }
            Unusable::Elsewhere { routine, file } => {
                Stop::NotJudged(format!("{name} calls {routine} in {file}"))
            }
        })
    }

    /// The file that the loader loaded; `None` if the loader does not name it.
    pub fn loaded_from(&self) -> Option<String> {
        let heapmin = self.routines._heapmin;
        let address = heapmin.map_or(ptr::null(), |f| f as *const c_void);
        self.candidate.file(address)
    }

    /// The address where Windows loaded the library, or another library to which it
    /// forwards `_heapmin`. Null on Unix, where a library can have several places.
    pub(super) fn module(&self) -> *const u8 {
        #[cfg(windows)]
        {
            let heapmin = self.routines._heapmin;
            let module = heapmin.and_then(|it| loader::module_at(it as *const c_void));
            module.unwrap_or(self.candidate.handle()) as *const u8
        }
        #[cfg(unix)]
        std::ptr::null()
    }

    /// The addresses of `malloc`, `calloc`, `realloc` and `free`.
    #[cfg(target_os = "linux")]
    pub(super) fn addresses(&self) -> Result<[*const c_void; 4], Stop> {
        let routines = &self.routines;
        Ok([
            routines.malloc.ok_or(Stop::Missing("malloc"))? as *const c_void,
            routines.calloc.ok_or(Stop::Missing("calloc"))? as *const c_void,
            routines.realloc.ok_or(Stop::Missing("realloc"))? as *const c_void,
            routines.free.ok_or(Stop::Missing("free"))? as *const c_void,
        ])
    }

    /// The address of a name in the library or in one that it needs. Returns null if the
    /// loader does not find the name.
    #[cfg(target_os = "linux")]
    pub(super) fn address(&self, name: &str) -> *const c_void {
        self.candidate.find(name)
    }

    /// Unloads the library, unless the loader keeps it for another reason.
    ///
    /// # Safety
    /// No routine of the library is called through this value any more.
    #[cfg(target_os = "linux")]
    pub(super) unsafe fn close(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.candidate.close() };
    }

    /// What the calls of each routine covered so far; empty if it is not recorded.
    pub(super) fn covered(&self) -> Vec<(&'static str, Pairs)> {
        self.recorder.covered()
    }

    /// Whether the library has this routine, one of
    /// [`ROUTINES`].
    pub fn has(&self, routine: &str) -> bool {
        self.routines.has(routine)
    }

    /// Sets these error values and calls a routine. Returns its value, and the call with
    /// its result and the error values after it. `arguments` are those of the call, as text.
    ///
    /// # Errors
    /// That of `call`, without a record.
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
        stop::before_call(|| self.routines.address(routine));
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
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
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

    /// Whether the library has an `_errno` that returns the address of the host's `errno`.
    pub(super) fn shares_errno(&self) -> bool {
        matches!(self.errno, Errno::Own(_)) && !self.has_errno_of_its_own()
    }

    /// Whether `errno` and the system's last error are different variables.
    fn has_errno_of_its_own(&self) -> bool {
        #[cfg(unix)]
        return self.errno_location() != Some(host::errno_location());
        #[cfg(windows)]
        true
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
        (Kind::Size, *self as isize as i64) // so that SIZE_MAX is -1, as the pages call it
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
