//! `_heapmin` of the API set acts on the heap of ucrtbase.

use super::HEAPMIN;
use crate::clause::Section::Requirements;
use crate::clause::check::by;
use crate::clause::{Case, Clause, Judgement, Seen, derived, must};
use heapmin_harness::probe::{Probe, Stop};

pub(crate) static CLAUSES: &[Clause] = &[must(
    HEAPMIN,
    "heapmin.same-heap-through-alias",
    "_heapmin acts on the same heap whether the caller finds it in ucrtbase or in the API set api-ms-win-crt-heap-l1-1-0",
    derived(
        Requirements,
        "the page's data list ucrtbase and the API set as libraries that export the same _heapmin",
    ),
    &[&TWO_NAMES],
    &[by(
        "under both names, a size from _msize for a block of the other name, and the same value from _heapmin",
        same_heap,
    )],
)];

static TWO_NAMES: Case = Case::new(
    "two-names-one-heap",
    "loads a library under two names, allocates through each of them, and calls _msize, _heapmin and free through the other",
    two_names,
);

const SIZE: usize = 12_345;

fn two_names(probe: &mut Probe) -> Result<(), Stop> {
    probe.step("load the library under its other name")?;
    let alias = probe.crt.alias()?;
    probe.step("allocate through the one name, ask and free through the other")?;
    let block = probe.crt.need(SIZE)?;
    let size = alias.msize(&block)?;
    let minimised = alias.heapmin()?;
    alias.free(block)?;
    probe.step("and the other way round")?;
    let other = alias.need(SIZE)?;
    let other_size = probe.crt.msize(&other)?;
    probe.heapmin()?;
    probe.crt.free(other)?;
    probe.fact("_msize through the other name", size as i64)?;
    probe.fact("_msize the other way round", other_size as i64)?;
    probe.fact("_heapmin through the other name", minimised.into())
}

fn same_heap(seen: &Seen) -> Judgement {
    let fact = |name| seen.observation.fact(name).unwrap_or(-1);
    let there = fact("_msize through the other name");
    let back = fact("_msize the other way round");
    let minimised = fact("_heapmin through the other name");
    let returned = seen
        .observation
        .calls("_heapmin")
        .next()
        .map_or(-2, |call| call.returned);
    let large_enough = |size| size >= SIZE as i64;
    Judgement::pass_if(
        large_enough(there) && large_enough(back) && minimised == returned,
        format!(
            "_msize {there} and {back} for blocks of {SIZE} bytes; _heapmin returned {minimised} and {returned}"
        ),
    )
}
