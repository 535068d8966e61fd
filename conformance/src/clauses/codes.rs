//! Return values that the pages name, with their numbers.

use crate::clause::check::Code;

/// The sign of failure that most pages give.
pub const MINUS_ONE: Code = Code::unnamed(-1);
/// Success.
pub const ZERO: Code = Code::unnamed(0);
/// The heap is sound and was never used.
pub const HEAPEMPTY: Code = Code::named("_HEAPEMPTY", -1);
/// The heap is sound.
pub const HEAPOK: Code = Code::named("_HEAPOK", -2);
/// The walk is at its end.
pub const HEAPEND: Code = Code::named("_HEAPEND", -5);
/// A pointer does not point into the heap.
pub const HEAPBADPTR: Code = Code::named("_HEAPBADPTR", -6);
/// Microsoft's number for a wrong argument.
pub const EINVAL: Code = Code::named("EINVAL", 22);
