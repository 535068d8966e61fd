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
    "_strdup",
    "_mbsdup",
    "_wcsdup",
    "_fullpath",
    "_wfullpath",
    "_getcwd",
    "_wgetcwd",
    "_getdcwd",
    "_wgetdcwd",
    "_dupenv_s",
    "_wdupenv_s",
    "_tempnam",
    "_wtempnam",
    "_set_new_mode",
    "_query_new_mode",
    "_set_new_handler",
    "_query_new_handler",
    "_callnewh",
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

/// The other names of routines that some of Microsoft's libraries export as C++ functions:
/// first on 64-bit systems, then on 32-bit ones.
const DECORATED: &[(&str, &[&str])] = &[
    ("_set_new_mode", &["?_set_new_mode@@YAHH@Z"]),
    ("_query_new_mode", &["?_query_new_mode@@YAHXZ"]),
    (
        "_set_new_handler",
        &[
            "?_set_new_handler@@YAP6AH_K@ZP6AH0@Z@Z",
            "?_set_new_handler@@YAP6AHI@ZP6AHI@Z@Z",
        ],
    ),
    (
        "_query_new_handler",
        &[
            "?_query_new_handler@@YAP6AH_K@ZXZ",
            "?_query_new_handler@@YAP6AHI@ZXZ",
        ],
    ),
];

/// The names by which a library may export this routine. The C name comes first.
pub fn names_of(routine: &str) -> impl Iterator<Item = &str> {
    let decorated = DECORATED.iter().filter(move |(name, _)| *name == routine);
    [routine]
        .into_iter()
        .chain(decorated.flat_map(|(_, names)| names.iter().copied()))
}

/// Whether a probe looks up an export of this name.
pub fn is_looked_up(export: &str) -> bool {
    let mut names = ROUTINES.iter().flat_map(|routine| names_of(routine));
    names.any(|name| name == export)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_routine_is_looked_up_by_its_c_name_and_its_decorated_names() {
        let names: Vec<_> = names_of("_query_new_mode").collect();
        assert_eq!(names, ["_query_new_mode", "?_query_new_mode@@YAHXZ"]);
        assert_eq!(names_of("malloc").collect::<Vec<_>>(), ["malloc"]);
        assert!(is_looked_up("?_set_new_mode@@YAHH@Z") && is_looked_up("malloc"));
        assert!(!is_looked_up("main"));
    }

    #[test]
    fn every_decorated_name_is_of_a_known_routine() {
        for (routine, names) in DECORATED {
            assert!(ROUTINES.contains(routine), "{routine}");
            assert!(names.iter().all(|name| name.contains(routine)), "{routine}");
        }
    }
}
