//! The names of the routines of a C runtime that this program knows.

/// Names of the host C library's allocator that a heap may export too, beside
/// [`ROUTINES`].
const HOST_ALLOCATORS: &[&str] = &[
    "aligned_alloc",
    "cfree",
    "free_aligned_sized",
    "free_sized",
    "malloc_trim",
    "malloc_usable_size",
    "memalign",
    "posix_memalign",
    "pvalloc",
    "reallocarray",
    "strdup",
    "strndup",
    "valloc",
];

/// Whether a name is that of a routine which hands out or takes blocks, or is about them.
pub(crate) fn is_of_a_heap(name: &str) -> bool {
    ROUTINES.contains(&name) || HOST_ALLOCATORS.contains(&name)
}

/// Every name that a probe looks up. The probe's own table has the signatures.
pub const ROUTINES: &[&str] = &[
    "malloc",
    "calloc",
    "realloc",
    "free",
    "_msize",
    "_expand",
    "_recalloc",
    "_aligned_malloc",
    "_aligned_offset_malloc",
    "_aligned_realloc",
    "_aligned_offset_realloc",
    "_aligned_recalloc",
    "_aligned_offset_recalloc",
    "_aligned_msize",
    "_aligned_free",
    "_heapmin",
    "_heapchk",
    "_heapwalk",
    "_heapset",
    "_heapadd",
    "_get_heap_handle",
    // From here on: in the library that contains `errno`.
    "_errno",
    "__doserrno",
    "_get_errno",
    "_set_errno",
    "_get_doserrno",
    "_set_doserrno",
    "__sys_errlist",
    "__sys_nerr",
    "strerror",
    "_set_invalid_parameter_handler",
    "_get_invalid_parameter_handler",
    "_set_thread_local_invalid_parameter_handler",
    "_get_thread_local_invalid_parameter_handler",
];

/// Whether the probe looks up this routine in the library that contains `errno`, which is
/// another one for a few candidates.
pub fn is_beside_errno(routine: &str) -> bool {
    let position = |wanted| ROUTINES.iter().position(|name| *name == wanted);
    position(routine) >= position("_errno")
}
