//! The heap of Windows, or of Wine, as if it were a C runtime: each routine makes the one
//! call of the system that a C runtime makes for it. A case that runs here shows what the
//! system itself does.

use super::recorder::Recorder;
use super::routines::{Homes, Routines};
use super::{Crt, Errno, HeapInfo, Loaded};
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::{Mutex, OnceLock, PoisonError};
use windows_sys::Win32::Foundation::{ERROR_NO_MORE_ITEMS, GetLastError, HANDLE, NO_ERROR};
use windows_sys::Win32::System::Memory::{
    HEAP_REALLOC_IN_PLACE_ONLY, HEAP_ZERO_MEMORY, HeapAlloc, HeapCompact, HeapCreate, HeapFree,
    HeapReAlloc, HeapSize, HeapValidate, HeapWalk, PROCESS_HEAP_ENTRY,
};
use windows_sys::Win32::System::SystemServices::{
    PROCESS_HEAP_ENTRY_BUSY, PROCESS_HEAP_REGION, PROCESS_HEAP_UNCOMMITTED_RANGE,
};

const HEAP_OK: c_int = -2;
const HEAP_BAD_NODE: c_int = -4;
const HEAP_END: c_int = -5;
const HEAP_BAD_PTR: c_int = -6;

impl Crt {
    /// The system's heap. It has no `errno`, and no routine that is more than a call of the
    /// system.
    ///
    /// # Errors
    /// If the system does not create a heap.
    pub(super) fn of_the_system(record: bool) -> Result<Crt, String> {
        if heap().is_null() {
            return Err("HeapCreate returned NULL".into());
        }
        let homes = Homes {
            heap: &address_of,
            runtime: &|_| ptr::null(),
        };
        Ok(Crt {
            // SAFETY: each address is that of a function below with the routine's signature.
            routines: unsafe { Routines::find(&homes) },
            // The calls are this program's, so that a fault replaces its imports.
            candidate: Loaded::this_program()?,
            heap: None,
            alias_name: None,
            errno: Errno::Unknown,
            recorder: Recorder::new(record),
        })
    }
}

/// The function for a routine, or null.
fn address_of(routine: &str) -> *const c_void {
    match routine {
        "malloc" => malloc as *const c_void,
        "calloc" => calloc as *const c_void,
        "realloc" => realloc as *const c_void,
        "free" => free as *const c_void,
        "_msize" => msize as *const c_void,
        "_expand" => expand as *const c_void,
        "_heapmin" => heapmin as *const c_void,
        "_heapchk" => heapchk as *const c_void,
        "_heapwalk" => heapwalk as *const c_void,
        _ => ptr::null(),
    }
}

/// A heap of its own, in which the probe itself has no block.
fn heap() -> HANDLE {
    static HEAP: OnceLock<usize> = OnceLock::new();
    // SAFETY: creates a heap that grows; it is never destroyed.
    let new = || unsafe { HeapCreate(0, 0, 0) };
    *HEAP.get_or_init(|| used_before(new()) as usize) as HANDLE
}

/// Uses a new heap as the start of a program uses the heap of its process, which many C
/// runtimes take. The system handles small blocks of a size that a heap has had often in
/// another way: from about the seventeenth on, under Wine 10.
fn used_before(heap: HANDLE) -> HANDLE {
    const OFTEN: usize = 40;
    const SMALL: usize = 64;
    if heap.is_null() {
        return heap;
    }
    for size in (1..=SMALL).step_by(8) {
        // SAFETY: the heap is new. If it has no memory, the case finds that.
        let blocks = [(); OFTEN].map(|()| unsafe { HeapAlloc(heap, 0, size) });
        for block in blocks.into_iter().filter(|block| !block.is_null()) {
            // SAFETY: a block of the heap, which is freed once.
            unsafe { HeapFree(heap, 0, block) };
        }
    }
    heap
}

unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
    // SAFETY: a heap of this process.
    unsafe { HeapAlloc(heap(), 0, size) }
}

unsafe extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    match count.checked_mul(size) {
        // SAFETY: a heap of this process.
        Some(bytes) => unsafe { HeapAlloc(heap(), HEAP_ZERO_MEMORY, bytes) },
        None => ptr::null_mut(),
    }
}

unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    match block.is_null() {
        // SAFETY: it takes a number.
        true => unsafe { malloc(size) },
        // SAFETY: the caller passes a live block of the heap.
        false => unsafe { HeapReAlloc(heap(), 0, block, size) },
    }
}

unsafe extern "C" fn free(block: *mut c_void) {
    // SAFETY: the caller passes null or a live block of the heap.
    unsafe { HeapFree(heap(), 0, block) };
}

unsafe extern "C" fn msize(block: *mut c_void) -> usize {
    // SAFETY: the caller passes a live block of the heap.
    unsafe { HeapSize(heap(), 0, block) }
}

unsafe extern "C" fn expand(block: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: the caller passes a live block of the heap.
    unsafe { HeapReAlloc(heap(), HEAP_REALLOC_IN_PLACE_ONLY, block, size) }
}

/// `HeapCompact` returns 0 also if nothing is free; the last error says whether it failed.
/// No C runtime clears the last error first, and this does not.
unsafe extern "C" fn heapmin() -> c_int {
    // SAFETY: a heap of this process, and a value of this thread.
    match unsafe { (HeapCompact(heap(), 0), GetLastError()) } {
        (0, error) if error != NO_ERROR => -1,
        _ => 0,
    }
}

unsafe extern "C" fn heapchk() -> c_int {
    // SAFETY: a heap of this process; null means all of it.
    match unsafe { HeapValidate(heap(), 0, ptr::null()) } {
        0 => HEAP_BAD_NODE,
        _ => HEAP_OK,
    }
}

/// The entry that the last call of `HeapWalk` returned. The next call needs all of it, and
/// `HeapInfo` has a part.
struct Last(PROCESS_HEAP_ENTRY);

// SAFETY: addresses in a heap of this process, the same for every thread.
unsafe impl Send for Last {}

static LAST: Mutex<Option<Last>> = Mutex::new(None);

unsafe extern "C" fn heapwalk(info: *mut HeapInfo) -> c_int {
    // SAFETY: the caller passes null or an entry of its own.
    let Some(info) = (unsafe { info.as_mut() }) else {
        return HEAP_BAD_PTR;
    };
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let last = &mut last.get_or_insert(Last(PROCESS_HEAP_ENTRY::default())).0;
    if info.entry.is_null() || info.entry != last.lpData {
        *last = PROCESS_HEAP_ENTRY {
            lpData: info.entry,
            ..PROCESS_HEAP_ENTRY::default()
        };
    }
    loop {
        // SAFETY: the entry of the last call, the start of a walk, or an address that the
        // system must recognise.
        let (walked, error) = unsafe { (HeapWalk(heap(), last), GetLastError()) };
        if walked == 0 {
            return match error {
                ERROR_NO_MORE_ITEMS => HEAP_END,
                _ => HEAP_BAD_NODE,
            };
        }
        // The memory between the blocks is no entry of a C runtime.
        if u32::from(last.wFlags) & (PROCESS_HEAP_REGION | PROCESS_HEAP_UNCOMMITTED_RANGE) == 0 {
            break;
        }
    }
    info.entry = last.lpData;
    info.size = last.cbData as usize;
    info.use_flag = c_int::from(u32::from(last.wFlags) & PROCESS_HEAP_ENTRY_BUSY != 0);
    HEAP_OK
}
