//! Reached through the API set, it acts on the same heap as ucrtbase.

use crate::clause::Section::Remarks;
use crate::clause::check::by;
use crate::clause::{Case, Clause, Judgement, Routine, Seen, must, stated};
use crate::clauses::pages;
use heapmin_harness::probe::{Probe, Stop};

const HEAPMIN: Routine = Routine {
    name: "_heapmin",
    page: &pages::HEAPMIN,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: _heapmin
    must(
        HEAPMIN,
        "heapmin.same-heap-through-alias",
        "reached through the API set api-ms-win-crt-heap-l1-1-0, it acts on the same heap as ucrtbase",
        stated(Remarks),
        &[&TWO_NAMES],
        &[by(
            "the same size for the same block, and blocks freed through either name",
            same_heap,
        )],
    ),
];

static TWO_NAMES: Case = Case::new(
    "two-names-one-heap",
    "allocates through each of two names of a library and asks, minimises and frees through the other",
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
