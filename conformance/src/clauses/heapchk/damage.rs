//! Damage that a program does to the heap: what `_heapchk` then returns. No page
//! says which damage it finds, so the result is recorded and not judged: no
//! error, an error, or the end of the process. One thing is judged: `_heapchk`
//! sets `errno` to `ENOSYS` when it returns an error.

use super::super::heapwalk::walk::Search;
use super::HEAPCHK;
use crate::clause::Section::{Remarks, ReturnValue};
use crate::clause::check::{Check, NO_ERRNO, by};
use crate::clause::{Case, Clause, Judgement, Seen, derived, must, record, stated};
use crate::clauses::pages;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{Probe, Stop};
use heapmin_harness::wire::observation::Ending;

pub(crate) static CLAUSES: &[Clause] = &[
    must(
        HEAPCHK,
        "heapchk.error-sets-enosys",
        "_heapchk sets errno to ENOSYS when it returns an error",
        stated(ReturnValue),
        &[&OVERRUN, &DOUBLE_FREE, &WILD_FREE, &WRITE_AFTER_FREE],
        &[by(
            "errno ENOSYS after the first call that returns neither _HEAPOK (-2) nor _HEAPEMPTY (-1); nothing to judge if there is no such call",
            error_sets_enosys,
        )],
    ),
    record(
        HEAPCHK,
        "heapchk.after-an-overrun",
        "the suite records what _heapchk returns after the program wrote a byte past the end of a block",
        derived(ReturnValue, DAMAGED),
        &[&OVERRUN],
        &[RECORDED],
    ),
    record(
        HEAPCHK,
        "heapchk.after-a-double-free",
        "the suite records what _heapchk returns after the program freed a block twice",
        derived(ReturnValue, DAMAGED).and(&pages::FREE, Remarks),
        &[&DOUBLE_FREE],
        &[RECORDED],
    ),
    record(
        HEAPCHK,
        "heapchk.after-a-wild-free",
        "the suite records what _heapchk returns after the program freed an address that no routine had returned",
        derived(ReturnValue, DAMAGED).and(&pages::FREE, Remarks),
        &[&WILD_FREE],
        &[RECORDED],
    ),
    record(
        HEAPCHK,
        "heapchk.after-a-write-after-free",
        "the suite records what _heapchk returns after the program wrote to freed blocks",
        derived(ReturnValue, DAMAGED),
        &[&WRITE_AFTER_FREE],
        &[RECORDED],
    ),
    record(
        HEAPCHK,
        "heapchk.walkable-after-damage",
        "the suite records whether _heapwalk still walks the damaged heap, and whether malloc still allocates from it",
        derived(ReturnValue, DAMAGED).and(&pages::HEAPWALK, ReturnValue),
        &[&OVERRUN, &DOUBLE_FREE, &WILD_FREE, &WRITE_AFTER_FREE],
        &[by(
            "any result: how many live blocks a walk finds and what malloc returns, or how the process ends",
            walkable,
        )],
    ),
];

/// What the page says of a damaged heap.
const DAMAGED: &str =
    "_HEAPBADNODE means a damaged heap, and the page does not say which damage is found";

const RECORDED: Check = by(
    "any result: what _heapchk returns, or how the process ends",
    recorded,
);

static OVERRUN: Case = Case::new(
    "damage-overrun",
    "writes the byte after the last one that _msize counts, in one of 40 live blocks",
    |probe| {
        let blocks = some_blocks(probe)?;
        probe.step("write a byte after the end")?;
        let mut block = nth(&blocks, MIDDLE);
        let end = match probe.crt.has("_msize") {
            true => probe.crt.msize(&block)?,
            false => SIZE,
        };
        block.write_byte(end, 0xDB);
        look(probe, blocks)
    },
)
.undefined();

static DOUBLE_FREE: Case = Case::new(
    "damage-double-free",
    "frees one of 40 live blocks twice",
    |probe| {
        let mut blocks = some_blocks(probe)?;
        let block = nth(&blocks, MIDDLE);
        probe.step("free a block twice")?;
        blocks.free_where(&probe.crt, |index| index == MIDDLE)?;
        probe.crt.free(block)?;
        look(probe, blocks)
    },
)
.undefined();

static WILD_FREE: Case = Case::new(
    "damage-wild-free",
    "frees an address inside one of 40 live blocks",
    |probe| {
        let blocks = some_blocks(probe)?;
        let inside = Block::at(nth(&blocks, MIDDLE).address() + 32, 0);
        probe.step("free an address in the middle of a block")?;
        probe.crt.free(inside)?;
        look(probe, blocks)
    },
)
.undefined();

static WRITE_AFTER_FREE: Case = Case::new(
    "damage-write-after-free",
    "frees two of 40 live blocks and writes over the whole of both",
    |probe| {
        let mut blocks = some_blocks(probe)?;
        let mut freed = [nth(&blocks, MIDDLE), nth(&blocks, MIDDLE + 2)];
        blocks.free_where(&probe.crt, |index| index == MIDDLE || index == MIDDLE + 2)?;
        probe.step("write over freed blocks")?;
        for block in &mut freed {
            block.fill(0xDB);
        }
        look(probe, blocks)
    },
)
.undefined();

const SIZE: usize = 100;
const COUNT: usize = 40;
const MIDDLE: usize = COUNT / 2;

const FOUND: &str = "live blocks found";
const WANTED: &str = "live blocks";
const ALLOCATES: &str = "allocates";

fn some_blocks(probe: &Probe) -> Result<Blocks, Stop> {
    let mut blocks = Blocks::with_room_for(COUNT)?;
    blocks.fill(&probe.crt, |_| SIZE)?;
    Ok(blocks)
}

fn nth(blocks: &Blocks, wanted: usize) -> Block {
    let mut live = blocks.live();
    let block = live.find_map(|(index, block)| (index == wanted).then_some(block));
    block.expect("every block is live before the damage")
}

/// Checks the heap after the damage, walks it, allocates a block, frees the
/// live blocks, and checks the heap again.
fn look(probe: &mut Probe, mut blocks: Blocks) -> Result<(), Stop> {
    let mut search = Search::new(&blocks, |_| false, &[]);
    let has_check = probe.crt.has("_heapchk");
    if has_check {
        probe.step("_heapchk after the damage")?;
        probe.observe("_heapchk", "", |crt| crt.heapchk())?;
    }
    if probe.crt.has("_heapwalk") {
        probe.step("_heapwalk after the damage")?;
        search.walk(&probe.crt)?;
        probe.fact(FOUND, search.found_once())?;
        probe.fact(WANTED, blocks.live().count() as i64)?;
    }
    probe.step("malloc after the damage")?;
    let block = probe.crt.malloc(SIZE)?;
    probe.fact(ALLOCATES, block.is_some().into())?;
    probe.step("free the other blocks after the damage")?;
    blocks.free_all(&probe.crt)?;
    if has_check {
        probe.step("_heapchk after that")?;
        probe.observe("_heapchk", "", |crt| crt.heapchk())?;
    }
    Ok(())
}

/// How the process ended, if it ended before the case did.
fn ended(seen: &Seen) -> Option<String> {
    let step = seen.observation.last_step().unwrap_or("load");
    match &seen.observation.ending {
        Ending::Died(how) => Some(format!("{how}, in the step \"{step}\"")),
        Ending::TimedOut => Some(format!(
            "no end within the time limit of the step \"{step}\""
        )),
        Ending::Done | Ending::Failed(_) | Ending::Interrupted => None,
    }
}

fn recorded(seen: &Seen) -> Judgement {
    let mut parts = Vec::new();
    for (call, when) in seen
        .observation
        .calls("_heapchk")
        .zip(["after the damage", "after the rest was freed"])
    {
        let status = match call.returned {
            -1 => "_HEAPEMPTY".to_owned(),
            -2 => "_HEAPOK".to_owned(),
            -3 => "_HEAPBADBEGIN".to_owned(),
            -4 => "_HEAPBADNODE".to_owned(),
            -6 => "_HEAPBADPTR".to_owned(),
            other => other.to_string(),
        };
        let errno = match call.errno {
            Some((before, after)) if before != after => {
                format!(" with errno {}", seen.numbering.describe(after))
            }
            _ => String::new(),
        };
        parts.push(format!("{status}{errno} {when}"));
    }
    match ended(seen) {
        Some(end) => parts.push(end),
        None if parts.is_empty() => {
            parts.push("nothing was noticed; the library has no _heapchk".into())
        }
        None => {}
    }
    Judgement::pass(parts.join("; "))
}

fn error_sets_enosys(seen: &Seen) -> Judgement {
    let enosys = seen.numbering.number("ENOSYS");
    let mut errors = seen
        .observation
        .calls("_heapchk")
        .filter(|call| !matches!(call.returned, -2 | -1));
    let Some(call) = errors.next() else {
        return Judgement::not_judged(match ended(seen) {
            Some(end) => format!("no error was reported: {end}"),
            None => "no error was reported".into(),
        });
    };
    match call.errno {
        None => Judgement::not_judged(NO_ERRNO),
        Some((_, after)) => Judgement::pass_if(
            Some(after) == enosys,
            format!("{call}, errno {}", seen.numbering.describe(after)),
        ),
    }
}

fn walkable(seen: &Seen) -> Judgement {
    let fact = |name| seen.observation.fact(name);
    let mut parts = Vec::new();
    if let (Some(found), Some(wanted)) = (fact(FOUND), fact(WANTED)) {
        parts.push(format!("{found} of {wanted} live blocks found by a walk"));
    }
    if let Some(given) = fact(ALLOCATES) {
        parts.push(match given {
            0 => "malloc gives NULL".into(),
            _ => "malloc gives a block".into(),
        });
    }
    parts.extend(ended(seen));
    Judgement::pass(parts.join("; "))
}
