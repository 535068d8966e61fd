//! Origins that clauses of several routines share.

use super::pages;
use crate::clause::Section::{Introduction, Remarks};
use crate::clause::{Origin, derived, stated};

/// Why a call that succeeds leaves `errno` and `_doserrno` as they were.
pub(crate) const SUCCESS_KEEPS_ERRNO: Origin = derived(
    Remarks,
    "a routine that sets errno on an error does not clear it on success, and most routines without I/O do not set _doserrno",
)
.on(&pages::ERRNO);

/// Why several threads can use the heap at the same time.
pub(crate) const MULTITHREADED: Origin = derived(
    Introduction,
    "the C runtime has no single-threaded version any more, so threads can share its heap",
)
.on(&pages::MULTITHREADED_LIBRARIES);

/// Why a request over `_HEAP_MAXREQ` returns NULL with `ENOMEM`.
pub(crate) const OVER_HEAP_MAXREQ: Origin = derived(
    Remarks,
    "the page states ENOMEM; _HEAP_MAXREQ is the largest request that can be granted, so that no block is returned",
)
.and(&pages::HEAP_MAXREQ, Remarks);

/// Why an invalid argument calls the invalid parameter handler.
pub(crate) const CALLS_HANDLER: Origin =
    stated(Remarks).and(&pages::PARAMETER_VALIDATION, Introduction);
