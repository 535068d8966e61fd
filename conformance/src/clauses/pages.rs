//! The pages that the clauses come from.

use crate::clause::Page;

pub static HEAPMIN: Page = Page::microsoft("_heapmin", "reference/heapmin");
pub static MALLOC: Page = Page::microsoft("malloc", "reference/malloc");
pub static CALLOC: Page = Page::microsoft("calloc", "reference/calloc");
pub static REALLOC: Page = Page::microsoft("realloc", "reference/realloc");
pub static FREE: Page = Page::microsoft("free", "reference/free");
pub static MSIZE: Page = Page::microsoft("_msize", "reference/msize");
pub static EXPAND: Page = Page::microsoft("_expand", "reference/expand");
pub static RECALLOC: Page = Page::microsoft("_recalloc", "reference/recalloc");
pub static ALIGNED_MALLOC: Page = Page::microsoft("_aligned_malloc", "reference/aligned-malloc");
pub static ALIGNED_OFFSET_MALLOC: Page =
    Page::microsoft("_aligned_offset_malloc", "reference/aligned-offset-malloc");
pub static ALIGNED_REALLOC: Page = Page::microsoft("_aligned_realloc", "reference/aligned-realloc");
pub static ALIGNED_OFFSET_REALLOC: Page = Page::microsoft(
    "_aligned_offset_realloc",
    "reference/aligned-offset-realloc",
);
pub static ALIGNED_RECALLOC: Page =
    Page::microsoft("_aligned_recalloc", "reference/aligned-recalloc");
pub static ALIGNED_OFFSET_RECALLOC: Page = Page::microsoft(
    "_aligned_offset_recalloc",
    "reference/aligned-offset-recalloc",
);
pub static ALIGNED_MSIZE: Page = Page::microsoft("_aligned_msize", "reference/aligned-msize");
pub static ALIGNED_FREE: Page = Page::microsoft("_aligned_free", "reference/aligned-free");
pub static HEAPCHK: Page = Page::microsoft("_heapchk", "reference/heapchk");
pub static HEAPWALK: Page = Page::microsoft("_heapwalk", "reference/heapwalk");
pub static HEAPSET: Page = Page::microsoft("_heapset", "heapset");
pub static HEAPADD: Page = Page::microsoft("_heapadd", "heapadd");
pub static GET_HEAP_HANDLE: Page = Page::microsoft("_get_heap_handle", "reference/get-heap-handle");
pub static ERRNO: Page = Page::microsoft("errno", "errno-doserrno-sys-errlist-and-sys-nerr");
pub static POSIX_ERRNO: Page = Page::elsewhere(
    "POSIX errno",
    "https://pubs.opengroup.org/onlinepubs/9799919799/functions/errno.html",
);
pub static GET_ERRNO: Page = Page::microsoft("_get_errno", "reference/get-errno");
pub static SET_ERRNO: Page = Page::microsoft("_set_errno", "reference/set-errno");
pub static GET_DOSERRNO: Page = Page::microsoft("_get_doserrno", "reference/get-doserrno");
pub static SET_DOSERRNO: Page = Page::microsoft("_set_doserrno", "reference/set-doserrno");
pub static STRERROR: Page =
    Page::microsoft("strerror", "reference/strerror-strerror-wcserror-wcserror");
pub static SET_INVALID_PARAMETER_HANDLER: Page = Page::microsoft(
    "_set_invalid_parameter_handler",
    "reference/set-invalid-parameter-handler-set-thread-local-invalid-parameter-handler",
);
pub static GET_INVALID_PARAMETER_HANDLER: Page = Page::microsoft(
    "_get_invalid_parameter_handler",
    "reference/get-invalid-parameter-handler-get-thread-local-invalid-parameter-handler",
);
pub static HEAP_MAXREQ: Page = Page::microsoft("_HEAP_MAXREQ", "heap-maxreq");
pub static PARAMETER_VALIDATION: Page =
    Page::microsoft("Parameter validation", "parameter-validation");
pub static MULTITHREADED_LIBRARIES: Page = Page::microsoft(
    "Multithreaded libraries performance",
    "multithreaded-libraries-performance",
);
pub static FORK: Page = Page::elsewhere(
    "fork (POSIX)",
    "https://pubs.opengroup.org/onlinepubs/9699919799/functions/fork.html",
);
