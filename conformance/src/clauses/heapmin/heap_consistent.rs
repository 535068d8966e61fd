//! Afterwards the heap is in order: `_heapchk` says so, and `_heapwalk`
//! finds every live block in use.

use super::super::heapwalk::if_it_walks;
use super::super::heapwalk::walk::{self, Search};
use crate::clause::Section::Remarks;
use crate::clause::check::by;
use crate::clause::{Case, Clause, Judgement, Routine, Seen, must, stated};
use crate::clauses::pages;
use crate::clauses::workload::{mixed_size, scattered};
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::{Probe, Stop};

const HEAPMIN: Routine = Routine {
    name: "_heapmin",
    page: &pages::HEAPMIN,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: _heapchk, _heapwalk
    must(
        HEAPMIN,
        "heapmin.heap-consistent",
        "afterwards _heapchk says _HEAPOK (or _HEAPEMPTY) and _heapwalk finds every live block in use",
        stated(Remarks),
        &[&WALK],
        &[by(
            "_HEAPOK (-2) or _HEAPEMPTY (-1); each live block once, in use, large enough; _HEAPEND (-5) at the end",
            consistent,
        )],
    ),
];

static WALK: Case = Case::new(
    "walk-after-heapmin",
    "frees two thirds of 3000 blocks, calls _heapmin, then _heapchk, and walks the heap",
    walk_after,
);

/// The library has no `_heapwalk`.
const NO_WALK: &str = "no _heapwalk";
fn walk_after(probe: &mut Probe) -> Result<(), Stop> {
    let mut blocks = Blocks::with_room_for(3000)?;
    probe.step("allocate the blocks and free two thirds")?;
    blocks.fill(&probe.crt, mixed_size)?;
    let gone = |index: usize| scattered(index) % 3 != 0;
    let mut search = Search::new(&blocks, gone, &[]);
    blocks.free_where(&probe.crt, gone)?;
    probe.step("_heapmin")?;
    probe.heapmin()?;
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

fn consistent(seen: &Seen) -> Judgement {
    let fact = |name| seen.observation.fact(name).unwrap_or(i64::MIN);
    let checked = fact("_heapchk");
    let is_sound = matches!(checked, -2 | -1);
    if seen.observation.fact(NO_WALK).is_some() {
        return match is_sound {
            true => Judgement::unsupported("the library does not export _heapwalk"),
            false => Judgement::fail(format!("_heapchk {checked}")),
        };
    }
    if !is_sound {
        return Judgement::fail(format!("_heapchk {checked}"));
    }
    if_it_walks(seen, walk_is_sound)
}

fn walk_is_sound(seen: &Seen) -> Judgement {
    let fact = |name| seen.observation.fact(name).unwrap_or(i64::MIN);
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
        observed += &format!("; {small} with fewer bytes than asked for");
    }
    let sound = ended == -5 && live > 0 && once == live && small == 0;
    Judgement::pass_if(sound, observed)
}
