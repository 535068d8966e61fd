//! The one heap of the process.

use crate::heap::Heap;

static HEAP: Heap = Heap::new();

/// The heap of the process.
#[inline]
pub(crate) fn heap() -> &'static Heap {
    &HEAP
}
