//! The dimensions in which the calls of each routine differ.

use heapmin_harness::wire::coverage::Dimension;

/// The dimensions of a routine, in the order of the table.
pub(super) fn dimensions_of(routine: &str) -> impl Iterator<Item = Dimension> {
    use Dimension::*;
    let of: &[Dimension] = match routine {
        "malloc" | "calloc" | "free" | "_msize" => &[Size, Fit, History, Thread, Fault],
        "realloc" | "_recalloc" | "_expand" => &[Size, OldSize, Fit, History, Thread, Fault],
        "_aligned_malloc" => &[Size, Fit, Alignment, History, Thread, Fault],
        "_aligned_realloc" | "_aligned_recalloc" => {
            &[Size, OldSize, Fit, Alignment, History, Thread, Fault]
        }
        "_aligned_offset_realloc" | "_aligned_offset_recalloc" => Dimension::ALL,
        "_aligned_offset_malloc" | "_aligned_msize" | "_aligned_free" => {
            &[Size, Fit, Alignment, Offset, History, Thread, Fault]
        }
        _ => &[Size, Alignment, History, Thread, Fault],
    };
    of.iter().copied()
}
