//! The probe's new handlers, and the routines that set and call one.

use super::calls::routine;
use super::routines::NewHandler;
use super::{Crt, Stop, WhichHandler};
use std::ffi::c_int;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

static CALLED: AtomicU32 = AtomicU32::new(0);
static SECOND_CALLED: AtomicU32 = AtomicU32::new(0);
/// The size that a handler got last.
static SIZE: AtomicUsize = AtomicUsize::new(0);
/// The number of calls from now on to which a handler answers that the heap must try again.
static RETRIES: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" fn first(size: usize) -> c_int {
    CALLED.fetch_add(1, Ordering::SeqCst);
    answer(size)
}

unsafe extern "C" fn second(size: usize) -> c_int {
    SECOND_CALLED.fetch_add(1, Ordering::SeqCst);
    answer(size)
}

fn answer(size: usize) -> c_int {
    SIZE.store(size, Ordering::SeqCst);
    let one_less = |left: u32| left.checked_sub(1);
    let before = RETRIES.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less);
    before.is_ok().into()
}

/// Makes the probe's new handlers return 1 for the next `retries` calls, then 0. Also
/// resets the counts of [`new_handler_calls`].
pub fn new_handler_returns(retries: u32) {
    RETRIES.store(retries, Ordering::SeqCst);
    for count in [&CALLED, &SECOND_CALLED] {
        count.store(0, Ordering::SeqCst);
    }
    SIZE.store(0, Ordering::SeqCst);
}

/// The number of calls of the probe's first and second new handler since
/// [`new_handler_returns`], and the size that the latest call got.
pub fn new_handler_calls() -> (u32, u32, usize) {
    (
        CALLED.load(Ordering::SeqCst),
        SECOND_CALLED.load(Ordering::SeqCst),
        SIZE.load(Ordering::SeqCst),
    )
}

/// Which of the probe's new handlers a library reports as set.
fn which(handler: Option<NewHandler>) -> WhichHandler {
    let is = |ours: NewHandler| handler.is_some_and(|it| std::ptr::fn_addr_eq(it, ours));
    if handler.is_none() {
        WhichHandler::None
    } else if is(first) {
        WhichHandler::First
    } else if is(second) {
        WhichHandler::Second
    } else {
        WhichHandler::Other
    }
}

impl Crt {
    /// Calls `_set_new_mode`; returns the previous mode, or -1.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn set_new_mode(&self, mode: i32) -> Result<i32, Stop> {
        let set = routine!(self, _set_new_mode);
        // SAFETY: it takes a number.
        Ok(unsafe { set(mode) })
    }

    /// Calls `_query_new_mode`.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn new_mode(&self) -> Result<i32, Stop> {
        let query = routine!(self, _query_new_mode);
        // SAFETY: it takes no argument.
        Ok(unsafe { query() })
    }

    /// Calls `_set_new_handler`; returns the previous handler.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn set_new_handler(&self, new: WhichHandler) -> Result<WhichHandler, Stop> {
        let set = routine!(self, _set_new_handler);
        let handler: Option<NewHandler> = match new {
            WhichHandler::First => Some(first),
            WhichHandler::Second => Some(second),
            WhichHandler::None | WhichHandler::Other => None,
        };
        // SAFETY: a handler that only counts, or none.
        Ok(which(unsafe { set(handler) }))
    }

    /// Calls `_query_new_handler`.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn new_handler(&self) -> Result<WhichHandler, Stop> {
        let query = routine!(self, _query_new_handler);
        // SAFETY: it takes no argument.
        Ok(which(unsafe { query() }))
    }

    /// Calls `_callnewh`.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn callnewh(&self, size: usize) -> Result<i32, Stop> {
        let callnewh = routine!(self, _callnewh);
        // SAFETY: it takes a number; the handler that it may call only counts.
        Ok(unsafe { callnewh(size) })
    }
}
