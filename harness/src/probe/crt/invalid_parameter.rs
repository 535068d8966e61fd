//! The probe's invalid parameter handlers, which count their calls.

use super::routines::Handler;
use super::{Crt, Stop};
use std::ffi::c_uint;
use std::sync::atomic::{AtomicU32, Ordering};

static CALLED: AtomicU32 = AtomicU32::new(0);
static SECOND_CALLED: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" fn count(_: *const u16, _: *const u16, _: *const u16, _: c_uint, _: usize) {
    CALLED.fetch_add(1, Ordering::SeqCst);
}

unsafe extern "C" fn count_too(_: *const u16, _: *const u16, _: *const u16, _: c_uint, _: usize) {
    SECOND_CALLED.fetch_add(1, Ordering::SeqCst);
}

/// The handler that a library reports as set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhichHandler {
    /// No handler.
    None = 0,
    /// The probe's first handler.
    First = 1,
    /// The probe's second handler.
    Second = 2,
    /// Another handler.
    Other = 3,
}

impl WhichHandler {
    fn of(handler: Option<Handler>) -> WhichHandler {
        let is = |ours: Handler| handler.is_some_and(|it| std::ptr::fn_addr_eq(it, ours));
        if handler.is_none() {
            WhichHandler::None
        } else if is(count) {
            WhichHandler::First
        } else if is(count_too) {
            WhichHandler::Second
        } else {
            WhichHandler::Other
        }
    }

    fn handler(self) -> Option<Handler> {
        match self {
            WhichHandler::First => Some(count),
            WhichHandler::Second => Some(count_too),
            WhichHandler::None | WhichHandler::Other => None,
        }
    }
}

/// The number of calls of the probe's first and second handler so far.
pub fn handler_calls() -> (u32, u32) {
    (
        CALLED.load(Ordering::SeqCst),
        SECOND_CALLED.load(Ordering::SeqCst),
    )
}

impl Crt {
    /// Calls `_set_invalid_parameter_handler`; returns the previous handler.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn set_handler(&self, new: WhichHandler) -> Result<WhichHandler, Stop> {
        let set = self.routines._set_invalid_parameter_handler;
        let set = set.ok_or(Stop::Missing("_set_invalid_parameter_handler"))?;
        // SAFETY: a handler that only counts, or none.
        Ok(WhichHandler::of(unsafe { set(new.handler()) }))
    }

    /// Calls `_get_invalid_parameter_handler`.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn get_handler(&self) -> Result<WhichHandler, Stop> {
        let get = self.routines._get_invalid_parameter_handler;
        let get = get.ok_or(Stop::Missing("_get_invalid_parameter_handler"))?;
        // SAFETY: it takes no argument.
        Ok(WhichHandler::of(unsafe { get() }))
    }

    /// Calls `_set_thread_local_invalid_parameter_handler`; returns the previous handler.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn set_thread_handler(&self, new: WhichHandler) -> Result<WhichHandler, Stop> {
        let name = "_set_thread_local_invalid_parameter_handler";
        let set = self.routines._set_thread_local_invalid_parameter_handler;
        let set = set.ok_or(Stop::Missing(name))?;
        // SAFETY: as for `set_handler`.
        Ok(WhichHandler::of(unsafe { set(new.handler()) }))
    }

    /// Calls `_get_thread_local_invalid_parameter_handler`.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn get_thread_handler(&self) -> Result<WhichHandler, Stop> {
        let name = "_get_thread_local_invalid_parameter_handler";
        let get = self.routines._get_thread_local_invalid_parameter_handler;
        let get = get.ok_or(Stop::Missing(name))?;
        // SAFETY: it takes no argument.
        Ok(WhichHandler::of(unsafe { get() }))
    }
}
