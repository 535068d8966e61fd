//! After `_heapmin`, `_heapchk` finds the heap consistent and `_heapwalk` finds
//! every live block in use.

use super::super::heapwalk::cannot_walk;
use super::super::heapwalk::walk::{self, Search};
use super::HEAPMIN;
use crate::clause::Section::{Remarks, ReturnValue};
use crate::clause::check::by;
use crate::clause::{Case, Clause, Judgement, Seen, derived, must};
use crate::clauses::histories::need_memory;
use crate::clauses::pages;
use crate::clauses::workload::{LARGE_BLOCKS, is_freed_large, large_size, mixed_size, scattered};
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::{Probe, Stop};

pub(crate) static CLAUSES: &[Clause] = &[must(
    HEAPMIN,
    "heapmin.heap-consistent",
    "_heapmin leaves a consistent heap: _heapchk returns _HEAPOK or _HEAPEMPTY, and _heapwalk finds every live block in use",
    derived(
        ReturnValue,
        "a heap that only lost unused memory is consistent; _heapchk returns _HEAPOK for it, and _heapwalk visits each of its entries",
    )
    .on(&pages::HEAPCHK)
    .and(&pages::HEAPWALK, Remarks),
    &[&WALK, &LARGE_WALK, &FEW_WALK],
    &[
        by(
            "_HEAPOK (-2) or _HEAPEMPTY (-1) from _heapchk",
            heapchk_is_sound,
        ),
        by(
            "each live block once, in use, with at least the requested size, and _HEAPEND (-5) at the end of the walk",
            walk_is_sound,
        ),
    ],
)
    .rests_on_system()];

static WALK: Case = Case::new(
    "walk-after-heapmin",
    "frees two thirds of 3000 blocks, calls _heapmin, calls _heapchk, and walks the heap",
    |probe| walk_after(probe, 3000, mixed_size, |index| scattered(index) % 3 != 0),
);

static LARGE_WALK: Case = Case::new(
    "walk-after-heapmin-large-blocks",
    "frees two thirds of 60 MiB of blocks of 128 KiB to 32 MiB, calls _heapmin, calls _heapchk, and walks the heap",
    |probe| {
        need_memory(256 << 20)?;
        walk_after(probe, LARGE_BLOCKS, large_size, is_freed_large)
    },
);

static FEW_WALK: Case = Case::new(
    "walk-after-heapmin-few-blocks",
    "frees all but one in 2000 of 4 MiB of blocks of 16 bytes, calls _heapmin, frees every second one of the rest, calls _heapchk, and walks the heap",
    few_after,
);

/// The fact that the library has no `_heapwalk`.
const NO_WALK: &str = "no _heapwalk";

fn walk_after(
    probe: &mut Probe,
    count: usize,
    size_of: fn(usize) -> usize,
    gone: fn(usize) -> bool,
) -> Result<(), Stop> {
    let mut blocks = Blocks::with_room_for(count)?;
    probe.step("allocate the blocks and free two thirds")?;
    blocks.fill(&probe.crt, size_of)?;
    let search = Search::new(&blocks, gone, &[]);
    blocks.free_where(&probe.crt, gone)?;
    probe.step("_heapmin")?;
    probe.heapmin()?;
    inspect(probe, search)
}

fn few_after(probe: &mut Probe) -> Result<(), Stop> {
    let mut blocks = Blocks::with_room_for((4 << 20) / 16)?;
    probe.step("allocate the blocks and free nearly all")?;
    blocks.fill(&probe.crt, |_| 16)?;
    let search = Search::new(&blocks, |index| index % 4000 != 7, &[]);
    blocks.free_where(&probe.crt, |index| index % 2000 != 7)?;
    probe.step("_heapmin")?;
    probe.heapmin()?;
    probe.step("free every second one of the rest")?;
    blocks.free_where(&probe.crt, |index| index % 4000 != 7)?;
    inspect(probe, search)
}

fn inspect(probe: &mut Probe, mut search: Search) -> Result<(), Stop> {
    probe.step("_heapchk")?;
    let checked = probe.crt.heapchk()?;
    probe.fact("_heapchk", checked.into())?;
    if !probe.crt.has("_heapwalk") {
        return probe.fact(NO_WALK, 1);
    }
    probe.step("_heapwalk")?;
    let walked = search.walk(&probe.crt)?;
    search.report(probe, &walked)
}

fn fact(seen: &Seen, name: &str) -> i64 {
    seen.observation.fact(name).unwrap_or(i64::MIN)
}

fn heapchk_is_sound(seen: &Seen) -> Judgement {
    let checked = fact(seen, "_heapchk");
    Judgement::pass_if(matches!(checked, -2 | -1), format!("_heapchk {checked}"))
}

fn walk_is_sound(seen: &Seen) -> Judgement {
    match seen.observation.fact(NO_WALK) {
        Some(_) => seen.missing("_heapwalk"),
        None => cannot_walk(seen).unwrap_or_else(|| found_all(seen)),
    }
}

fn found_all(seen: &Seen) -> Judgement {
    let fact = |name| fact(seen, name);
    let (checked, ended) = (fact("_heapchk"), fact(walk::ENDED_WITH));
    let (live, once) = (fact(walk::LIVE), fact(walk::FOUND_ONCE));
    let (twice, small) = (fact(walk::FOUND_TWICE), fact(walk::TOO_SMALL));
    let mut observed = format!(
        "_heapchk {checked}; {once} of {live} live blocks found in use; the walk ended with {ended}"
    );
    if twice > 0 {
        observed += &format!("; {twice} found more than once");
    }
    if small > 0 {
        observed += &format!("; {small} with fewer bytes than requested");
    }
    let sound = ended == -5 && live > 0 && once == live && small == 0;
    Judgement::pass_if(sound, observed)
}
