//! Afterwards the heap is in order: `_heapchk` says so, and `_heapwalk`
//! finds every live block in use.

use crate::clause::{Case, Clause, Judgement, Level, Seen};
use crate::clauses::workload::{mixed_size, scattered};
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::crt::HeapInfo;
use heapmin_harness::probe::{Probe, Stop};

pub static CONSISTENT: Clause = Clause {
    id: "heapmin.heap-consistent",
    routine: "_heapmin",
    level: Level::Must,
    page: "_heapchk, _heapwalk",
    summary: "afterwards _heapchk says _HEAPOK (or _HEAPEMPTY) and _heapwalk finds every live block in use",
    expects: "_HEAPOK (-2) or _HEAPEMPTY (-1); each live block once, in use, large enough; _HEAPEND (-5) at the end",
    cases: &[&WALK],
    judge: consistent,
};

static WALK: Case = Case {
    name: "walk-after-heapmin",
    summary: "frees two thirds of 3000 blocks, calls _heapmin, then _heapchk, and walks the heap",
    fault: None,
    act: walk,
};

/// The library has no `_heapwalk`.
const NO_WALK: &str = "no _heapwalk";
const HEAP_OK: i32 = -2;
const USED_ENTRY: i32 = 1;

fn walk(probe: &mut Probe) -> Result<(), Stop> {
    let mut blocks = Blocks::with_room_for(3000)?;
    probe.step("allocate the blocks and free two thirds")?;
    blocks.fill(&probe.crt, mixed_size)?;
    blocks.free_where(&probe.crt, |index| scattered(index) % 3 != 0)?;
    let mut live: Vec<_> = blocks
        .live()
        .map(|(_, block)| (block.address(), block.size(), 0u32))
        .collect();
    live.sort_unstable();
    probe.step("_heapmin")?;
    probe.heapmin()?;
    probe.step("_heapchk")?;
    let checked = probe.crt.heapchk()?;
    probe.fact("_heapchk", checked.into())?;
    probe.step("_heapwalk")?;
    probe.crt.set_errno(0);
    // From here to the end of the walk nothing of ours is allocated: the
    // probe may live on the heap that it walks.
    let mut info = HeapInfo::START;
    let (mut entries, mut too_small) = (0, 0);
    let ended = loop {
        match probe.crt.heapwalk(&mut info) {
            Ok(HEAP_OK) => {}
            Ok(other) => break other,
            Err(_) => return probe.fact(NO_WALK, 1),
        }
        entries += 1;
        if info.use_flag == USED_ENTRY
            && let Ok(index) = live.binary_search_by_key(&(info.entry as usize), |block| block.0)
        {
            live[index].2 += 1;
            too_small += i64::from(info.size < live[index].1);
        }
    };
    let errno = probe.crt.errno();
    probe.fact("_heapwalk ended with", ended.into())?;
    probe.fact("errno after _heapwalk", errno.unwrap_or(0).into())?;
    probe.fact("entries", entries)?;
    probe.fact("live blocks", live.len() as i64)?;
    probe.fact(
        "found once",
        live.iter().filter(|block| block.2 == 1).count() as i64,
    )?;
    probe.fact(
        "found more than once",
        live.iter().filter(|block| block.2 > 1).count() as i64,
    )?;
    probe.fact("too small", too_small)
}

fn consistent(seen: &Seen) -> Judgement {
    let fact = |name| seen.observation.fact(name).unwrap_or(i64::MIN);
    let (checked, ended) = (fact("_heapchk"), fact("_heapwalk ended with"));
    let is_sound = matches!(checked, -2 | -1);
    if seen.observation.fact(NO_WALK).is_some() {
        return match is_sound {
            true => Judgement::unsupported("the library does not export _heapwalk"),
            false => Judgement::fail(format!("_heapchk {checked}")),
        };
    }
    // What the page has for a system on which a heap cannot be walked.
    let errno = seen.observation.fact("errno after _heapwalk");
    let enosys = seen.numbering.number("ENOSYS").map(i64::from);
    if is_sound && ended == -5 && fact("entries") == 0 && errno == enosys {
        return Judgement::unsupported(
            "_heapwalk says with ENOSYS that this system has no such thing",
        );
    }
    let (live, once) = (fact("live blocks"), fact("found once"));
    let (twice, small) = (fact("found more than once"), fact("too small"));
    let mut observed = format!(
        "_heapchk {checked}; {once} of {live} live blocks found in use; the walk ended with {ended}"
    );
    if twice > 0 {
        observed += &format!("; {twice} found more than once");
    }
    if small > 0 {
        observed += &format!("; {small} with fewer bytes than asked for");
    }
    let sound = is_sound && ended == -5 && live > 0 && once == live && small == 0;
    Judgement::pass_if(sound, observed)
}
