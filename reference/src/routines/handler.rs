//! The invalid parameter handlers.

use crate::errno::{EINVAL, ERRNO};
use core::cell::Cell;
use core::ffi::{c_uint, c_void};
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

/// `_invalid_parameter_handler`. Its parameters are the expression, the function
/// and the file, each a `const wchar_t *`, then the line and a reserved number.
/// This heap passes nulls and zeros, as Microsoft's release builds do.
pub type Handler =
    Option<unsafe extern "C" fn(*const c_void, *const c_void, *const c_void, c_uint, usize)>;

/// The handler of the process, as an address. Atomic, because a fork could leave
/// a lock taken.
static OF_PROCESS: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

thread_local! {
    static OF_THREAD: Cell<Handler> = const { Cell::new(None) };
}

/// Sets the handler of the process, null for none, and returns the previous one.
/// Page: *_set_invalid_parameter_handler*.
pub fn set_invalid_parameter_handler(handler: Handler) -> Handler {
    let address = handler.map_or(ptr::null_mut(), |handler| handler as *mut ());
    handler_at(OF_PROCESS.swap(address, Ordering::AcqRel))
}

/// The handler of the process. Page: *_get_invalid_parameter_handler*.
pub fn get_invalid_parameter_handler() -> Handler {
    handler_at(OF_PROCESS.load(Ordering::Acquire))
}

fn handler_at(address: *mut ()) -> Handler {
    // SAFETY: the address is that of a `Handler`, or null for `None`.
    unsafe { core::mem::transmute::<*mut (), Handler>(address) }
}

/// Sets the handler of this thread and returns the previous one. The handler of
/// the thread takes precedence over that of the process. Page:
/// *_set_thread_local_invalid_parameter_handler*.
pub fn set_thread_local_invalid_parameter_handler(handler: Handler) -> Handler {
    OF_THREAD.replace(handler)
}

/// The handler of this thread. Page: *_get_thread_local_invalid_parameter_handler*.
pub fn get_thread_local_invalid_parameter_handler() -> Handler {
    OF_THREAD.get()
}

/// Calls the handler, then sets `errno` to `EINVAL` and returns `result`. The
/// caller holds no lock, because the handler may use the heap.
pub(super) fn invalid_parameter<T>(result: T) -> T {
    if let Some(handler) = OF_THREAD.get().or_else(get_invalid_parameter_handler) {
        // SAFETY: the program that set the handler promised that it accepts this call.
        unsafe { handler(ptr::null(), ptr::null(), ptr::null(), 0, 0) };
    }
    ERRNO.set(EINVAL);
    result
}
