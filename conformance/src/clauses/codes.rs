//! Return values that the pages name, with their numbers.

use crate::clause::check::Code;

/// The sign of failure that most pages give.
pub(crate) const MINUS_ONE: Code = Code::unnamed(-1);
/// Success.
pub(crate) const ZERO: Code = Code::unnamed(0);
/// The heap is sound and was never used.
pub(crate) const HEAPEMPTY: Code = Code::named("_HEAPEMPTY", -1);
/// The heap is sound.
pub(crate) const HEAPOK: Code = Code::named("_HEAPOK", -2);
/// The walk is at its end.
pub(crate) const HEAPEND: Code = Code::named("_HEAPEND", -5);
/// A pointer does not point into the heap.
pub(crate) const HEAPBADPTR: Code = Code::named("_HEAPBADPTR", -6);
/// Microsoft's number for a wrong argument.
pub(crate) const EINVAL: Code = Code::named("EINVAL", 22);
