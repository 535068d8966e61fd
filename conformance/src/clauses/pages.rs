//! The pages that the clauses come from.

use crate::clause::Page;

pub(crate) static HEAPMIN: Page = Page::microsoft("_heapmin", "reference/heapmin");
pub(crate) static MALLOC: Page = Page::microsoft("malloc", "reference/malloc");
pub(crate) static CALLOC: Page = Page::microsoft("calloc", "reference/calloc");
pub(crate) static REALLOC: Page = Page::microsoft("realloc", "reference/realloc");
pub(crate) static FREE: Page = Page::microsoft("free", "reference/free");
pub(crate) static MSIZE: Page = Page::microsoft("_msize", "reference/msize");
pub(crate) static EXPAND: Page = Page::microsoft("_expand", "reference/expand");
pub(crate) static RECALLOC: Page = Page::microsoft("_recalloc", "reference/recalloc");
pub(crate) static ALIGNED_MALLOC: Page =
    Page::microsoft("_aligned_malloc", "reference/aligned-malloc");
pub(crate) static ALIGNED_OFFSET_MALLOC: Page =
    Page::microsoft("_aligned_offset_malloc", "reference/aligned-offset-malloc");
pub(crate) static ALIGNED_REALLOC: Page =
    Page::microsoft("_aligned_realloc", "reference/aligned-realloc");
pub(crate) static ALIGNED_OFFSET_REALLOC: Page = Page::microsoft(
    "_aligned_offset_realloc",
    "reference/aligned-offset-realloc",
);
pub(crate) static ALIGNED_RECALLOC: Page =
    Page::microsoft("_aligned_recalloc", "reference/aligned-recalloc");
pub(crate) static ALIGNED_OFFSET_RECALLOC: Page = Page::microsoft(
    "_aligned_offset_recalloc",
    "reference/aligned-offset-recalloc",
);
pub(crate) static ALIGNED_MSIZE: Page =
    Page::microsoft("_aligned_msize", "reference/aligned-msize");
pub(crate) static ALIGNED_FREE: Page = Page::microsoft("_aligned_free", "reference/aligned-free");
pub(crate) static HEAPCHK: Page = Page::microsoft("_heapchk", "reference/heapchk");
pub(crate) static HEAPWALK: Page = Page::microsoft("_heapwalk", "reference/heapwalk");
pub(crate) static HEAPSET: Page = Page::microsoft("_heapset", "heapset");
pub(crate) static HEAPADD: Page = Page::microsoft("_heapadd", "heapadd");
pub(crate) static GET_HEAP_HANDLE: Page =
    Page::microsoft("_get_heap_handle", "reference/get-heap-handle");
pub(crate) static ERRNO: Page = Page::microsoft("errno", "errno-doserrno-sys-errlist-and-sys-nerr");
pub(crate) static POSIX_ERRNO: Page = Page::elsewhere(
    "POSIX errno",
    "https://pubs.opengroup.org/onlinepubs/9799919799/functions/errno.html",
);
pub(crate) static GET_ERRNO: Page = Page::microsoft("_get_errno", "reference/get-errno");
pub(crate) static SET_ERRNO: Page = Page::microsoft("_set_errno", "reference/set-errno");
pub(crate) static GET_DOSERRNO: Page = Page::microsoft("_get_doserrno", "reference/get-doserrno");
pub(crate) static SET_DOSERRNO: Page = Page::microsoft("_set_doserrno", "reference/set-doserrno");
pub(crate) static STRERROR: Page =
    Page::microsoft("strerror", "reference/strerror-strerror-wcserror-wcserror");
pub(crate) static SET_INVALID_PARAMETER_HANDLER: Page = Page::microsoft(
    "_set_invalid_parameter_handler",
    "reference/set-invalid-parameter-handler-set-thread-local-invalid-parameter-handler",
);
pub(crate) static GET_INVALID_PARAMETER_HANDLER: Page = Page::microsoft(
    "_get_invalid_parameter_handler",
    "reference/get-invalid-parameter-handler-get-thread-local-invalid-parameter-handler",
);
pub(crate) static HEAP_MAXREQ: Page = Page::microsoft("_HEAP_MAXREQ", "heap-maxreq");
pub(crate) static PARAMETER_VALIDATION: Page =
    Page::microsoft("Parameter validation", "parameter-validation");
pub(crate) static MULTITHREADED_LIBRARIES: Page = Page::microsoft(
    "Multithreaded libraries performance",
    "multithreaded-libraries-performance",
);
pub(crate) static FORK: Page = Page::elsewhere(
    "fork (POSIX)",
    "https://pubs.opengroup.org/onlinepubs/9699919799/functions/fork.html",
);
pub(crate) static STRDUP: Page = Page::microsoft("_strdup", "reference/strdup-wcsdup-mbsdup");
pub(crate) static FULLPATH: Page = Page::microsoft("_fullpath", "reference/fullpath-wfullpath");
pub(crate) static GETCWD: Page = Page::microsoft("_getcwd", "reference/getcwd-wgetcwd");
pub(crate) static GETDCWD: Page = Page::microsoft("_getdcwd", "reference/getdcwd-wgetdcwd");
pub(crate) static DUPENV_S: Page = Page::microsoft("_dupenv_s", "reference/dupenv-s-wdupenv-s");
pub(crate) static TEMPNAM: Page =
    Page::microsoft("_tempnam", "reference/tempnam-wtempnam-tmpnam-wtmpnam");
pub(crate) static SET_NEW_MODE: Page = Page::microsoft("_set_new_mode", "reference/set-new-mode");
pub(crate) static QUERY_NEW_MODE: Page =
    Page::microsoft("_query_new_mode", "reference/query-new-mode");
pub(crate) static SET_NEW_HANDLER: Page =
    Page::microsoft("_set_new_handler", "reference/set-new-handler");
pub(crate) static QUERY_NEW_HANDLER: Page =
    Page::microsoft("_query_new_handler", "reference/query-new-handler");
pub(crate) static CALLNEWH: Page = Page::microsoft("_callnewh", "reference/callnewh");
pub(crate) static HEAPCOMPACT: Page = Page::elsewhere(
    "HeapCompact",
    "https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heapcompact",
);

// The pages about a heap in a process.
pub(crate) static C23: Page = Page::elsewhere(
    "C23 (N3220)",
    "https://www.open-std.org/jtc1/sc22/wg14/www/docs/n3220.pdf",
);
pub(crate) static POSIX_FORK: Page = Page::elsewhere(
    "fork (POSIX.1-2024)",
    "https://pubs.opengroup.org/onlinepubs/9799919799/functions/fork.html",
);
pub(crate) static POSIX_ATFORK: Page = Page::elsewhere(
    "pthread_atfork (POSIX.1-2024)",
    "https://pubs.opengroup.org/onlinepubs/9799919799/functions/pthread_atfork.html",
);
pub(crate) static POSIX_THREADS: Page = Page::elsewhere(
    "Threads (POSIX.1-2024)",
    "https://pubs.opengroup.org/onlinepubs/9799919799/functions/V2_chap02.html",
);
pub(crate) static POSIX_KEY_CREATE: Page = Page::elsewhere(
    "pthread_key_create (POSIX.1-2024)",
    "https://pubs.opengroup.org/onlinepubs/9799919799/functions/pthread_key_create.html",
);
pub(crate) static POSIX_FREE: Page = Page::elsewhere(
    "free (POSIX.1-2024)",
    "https://pubs.opengroup.org/onlinepubs/9799919799/functions/free.html",
);
pub(crate) static POSIX_MEMALIGN: Page = Page::elsewhere(
    "posix_memalign (POSIX.1-2024)",
    "https://pubs.opengroup.org/onlinepubs/9799919799/functions/posix_memalign.html",
);
pub(crate) static POSIX_ALIGNED_ALLOC: Page = Page::elsewhere(
    "aligned_alloc (POSIX.1-2024)",
    "https://pubs.opengroup.org/onlinepubs/9799919799/functions/aligned_alloc.html",
);
pub(crate) static POSIX_REALLOCARRAY: Page = Page::elsewhere(
    "reallocarray (POSIX.1-2024)",
    "https://pubs.opengroup.org/onlinepubs/9799919799/functions/realloc.html",
);
pub(crate) static GLIBC_REPLACING: Page = Page::elsewhere(
    "Replacing malloc (GNU C Library)",
    "https://sourceware.org/glibc/manual/latest/html_node/Replacing-malloc.html",
);
pub(crate) static GETRLIMIT: Page = Page::linux_manual("getrlimit(2)", "man2/getrlimit.2");
pub(crate) static MLOCKALL: Page = Page::linux_manual("mlockall(2)", "man2/mlock.2");
pub(crate) static CORE: Page = Page::linux_manual("core(5)", "man5/core.5");
pub(crate) static DLCLOSE: Page = Page::linux_manual("dlclose(3)", "man3/dlopen.3");
pub(crate) static MALLOC_3: Page = Page::linux_manual("malloc(3)", "man3/malloc.3");
pub(crate) static POSIX_MEMALIGN_3: Page =
    Page::linux_manual("posix_memalign(3)", "man3/posix_memalign.3");
pub(crate) static USABLE_SIZE: Page =
    Page::linux_manual("malloc_usable_size(3)", "man3/malloc_usable_size.3");
