//! The pairs of values that no call can have, with reasons.

use super::Pair;
use heapmin_harness::wire::coverage::Value::{self, *};

/// Pairs that cannot be: a value of `one` with a value of `other`, in these routines.
pub(super) struct Impossible {
    /// No name means every routine.
    pub routines: &'static [&'static str],
    pub one: &'static [Value],
    /// No value means every value.
    pub other: &'static [Value],
    pub why: &'static str,
}

/// Why a pair cannot be, if it is in the list.
pub(super) fn reason(pair: Pair) -> Option<&'static str> {
    let applies = |rule: &&Impossible| {
        let has = |one, other| {
            rule.one.contains(&one) && (rule.other.is_empty() || rule.other.contains(&other))
        };
        (rule.routines.is_empty() || rule.routines.contains(&pair.routine))
            && (has(pair.one, pair.other) || has(pair.other, pair.one))
    };
    IMPOSSIBLE.iter().find(applies).map(|rule| rule.why)
}

/// Routines that return a new block.
const NEW: &[&str] = &[
    "malloc",
    "calloc",
    "_aligned_malloc",
    "_aligned_offset_malloc",
];
/// Routines whose blocks are aligned to 16 bytes.
const PLAIN: &[&str] = &[
    "malloc",
    "calloc",
    "realloc",
    "free",
    "_msize",
    "_expand",
    "_recalloc",
];
/// Routines that resize an aligned block.
const RESIZE_ALIGNED: &[&str] = &[
    "_aligned_realloc",
    "_aligned_offset_realloc",
    "_aligned_recalloc",
    "_aligned_offset_recalloc",
];
const HISTORIES: &[Value] = &[Fresh, Used, ShrunkGrown, GrownShrunk, Released, OtherThread];

pub(super) static IMPOSSIBLE: &[Impossible] = &[
    Impossible {
        routines: &[],
        one: &[Zero],
        other: &[Equal, Multiple, Neighbour, Between],
        why: "0 bytes are fewer than each alignment",
    },
    Impossible {
        routines: &[],
        one: &[Value::Impossible],
        other: &[Below, Equal, Multiple, Neighbour, Between],
        why: "the size is refused, whatever multiple it is near",
    },
    Impossible {
        routines: PLAIN,
        one: &[Below, Equal],
        other: &[Medium, Large, Huge],
        why: "the alignment of these blocks is 16 bytes",
    },
    Impossible {
        routines: NEW,
        one: &[ShrunkGrown, GrownShrunk],
        other: &[],
        why: "a new block was never resized",
    },
    Impossible {
        routines: NEW,
        one: &[Zero, Value::Impossible],
        other: HISTORIES,
        why: "the call returns no memory that could have a history",
    },
    Impossible {
        routines: &[
            "free",
            "_msize",
            "_aligned_msize",
            "_aligned_free",
            "_heapmin",
            "_heapchk",
            "_heapwalk",
            "_heapset",
        ],
        one: &[Value::Impossible],
        other: &[],
        why: "no block has this size",
    },
    Impossible {
        routines: &[
            "_aligned_malloc",
            "_aligned_offset_malloc",
            "_aligned_msize",
            "_aligned_free",
        ],
        one: &[Zero],
        other: &[],
        why: "0 is an invalid size for a new aligned block, so no such block exists",
    },
    Impossible {
        routines: RESIZE_ALIGNED,
        one: &[OldZero],
        other: &[],
        why: "0 is an invalid size for a new aligned block, and a resize to 0 frees the block",
    },
    Impossible {
        routines: RESIZE_ALIGNED,
        one: &[Zero],
        other: &[Inside],
        why: "an offset that is not below the size is invalid",
    },
    Impossible {
        routines: &["_heapmin", "_heapchk", "_heapwalk", "_heapset"],
        one: &[Zero],
        other: &[Aligned16, Aligned4K, Aligned1M, Aligned64M],
        why: "0 is an invalid size for an aligned block",
    },
    Impossible {
        routines: &["_heapchk", "_heapwalk"],
        one: &[Zero],
        other: HISTORIES,
        why: "a block of 0 bytes has no memory with a history",
    },
    Impossible {
        routines: &["free", "_msize", "_heapmin", "_heapset"],
        one: &[Zero],
        other: &[Fresh, Used, ShrunkGrown, GrownShrunk],
        why: "a block of 0 bytes has no memory with a history, and a resize to 0 frees the block",
    },
    Impossible {
        routines: &["realloc", "_recalloc", "_expand"],
        one: &[OldZero],
        other: &[ShrunkGrown, GrownShrunk],
        why: "a block of 0 bytes was never resized: a resize to 0 frees the block",
    },
    Impossible {
        routines: &["_expand"],
        one: &[Zero],
        other: &[],
        why: "the page of _expand does not say what a size of 0 does",
    },
];
