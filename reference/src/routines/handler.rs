//! What happens when a routine is given a parameter that makes no sense.

use crate::errno::{EINVAL, ERRNO};
use core::cell::Cell;
use core::ffi::{c_uint, c_void};
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

/// `_invalid_parameter_handler`: takes three `const wchar_t *` for expression,
/// function and file, the line, and a reserved number. Ours are always null
/// and zero, as in Microsoft's release builds.
pub type Handler =
    Option<unsafe extern "C" fn(*const c_void, *const c_void, *const c_void, c_uint, usize)>;

/// The handler as an address. Not under a lock, which a fork might leave locked.
static OF_PROCESS: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

thread_local! {
    static OF_THREAD: Cell<Handler> = const { Cell::new(None) };
}

/// Sets the handler of the process, null for none, and returns the one
/// before. Page: *_set_invalid_parameter_handler*.
pub fn set_invalid_parameter_handler(handler: Handler) -> Handler {
    let address = handler.map_or(ptr::null_mut(), |handler| handler as *mut ());
    handler_at(OF_PROCESS.swap(address, Ordering::AcqRel))
}

/// The handler of the process. Page: *_get_invalid_parameter_handler*.
pub fn get_invalid_parameter_handler() -> Handler {
    handler_at(OF_PROCESS.load(Ordering::Acquire))
}

fn handler_at(address: *mut ()) -> Handler {
    // SAFETY: only a `Handler` is ever stored there, and null is `None`.
    unsafe { core::mem::transmute::<*mut (), Handler>(address) }
}

/// Sets the handler of this thread, which goes before that of the process.
/// Page: *_set_thread_local_invalid_parameter_handler*.
pub fn set_thread_local_invalid_parameter_handler(handler: Handler) -> Handler {
    OF_THREAD.replace(handler)
}

/// The handler of this thread. Page: *_get_thread_local_invalid_parameter_handler*.
pub fn get_thread_local_invalid_parameter_handler() -> Handler {
    OF_THREAD.get()
}

/// Calls the handler, then sets `errno` to `EINVAL`, and hands `result` on.
/// Nobody may hold a lock meanwhile: the handler may use the heap.
pub(super) fn invalid_parameter<T>(result: T) -> T {
    if let Some(handler) = OF_THREAD.get().or_else(get_invalid_parameter_handler) {
        // SAFETY: whoever set the handler promised that it may be called like this.
        unsafe { handler(ptr::null(), ptr::null(), ptr::null(), 0, 0) };
    }
    ERRNO.set(EINVAL);
    result
}
