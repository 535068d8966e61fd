//! Damage that a program does to the heap. What comes of it is undefined for
//! most libraries, so it is recorded, not judged: nothing, an error, an abort.
//! Only what the page does say is judged: an error comes with `ENOSYS`.

use super::super::heapwalk::walk::Search;
use crate::clause::Section::Remarks;
use crate::clause::check::{NO_ERRNO, by};
use crate::clause::{Case, Clause, Judgement, Routine, Seen, must, record, stated};
use crate::clauses::pages;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{Probe, Stop};
use heapmin_harness::wire::observation::Ending;

const HEAPCHK: Routine = Routine {
    name: "_heapchk",
    page: &pages::HEAPCHK,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: _heapchk
    must(
        HEAPCHK,
        "heapchk.error-sets-enosys",
        "if an error occurs, errno is set to ENOSYS",
        stated(Remarks),
        &[&OVERRUN_CASE, &TWICE, &WILD, &LATE],
        &[by(
            "errno ENOSYS whenever it returns neither _HEAPOK nor _HEAPEMPTY",
            error_sets_enosys,
        )],
    ),
    // PAGE: _heapchk
    record(
        HEAPCHK,
        "heapchk.after-an-overrun",
        "what it says after a byte was written behind the end of a block",
        stated(Remarks),
        &[&OVERRUN_CASE],
        &[by(
            "anything: _HEAPBADNODE, nothing, or the end of the process",
            recorded,
        )],
    ),
    // PAGE: _heapchk, free
    record(
        HEAPCHK,
        "heapchk.after-a-double-free",
        "what it says after a block was freed twice",
        stated(Remarks),
        &[&TWICE],
        &[by(
            "anything: _HEAPBADNODE, nothing, or the end of the process",
            recorded,
        )],
    ),
    // PAGE: _heapchk, free
    record(
        HEAPCHK,
        "heapchk.after-a-wild-free",
        "what it says after an address was freed that no routine had given",
        stated(Remarks),
        &[&WILD],
        &[by(
            "anything: _HEAPBADNODE, nothing, or the end of the process",
            recorded,
        )],
    ),
    // PAGE: _heapchk
    record(
        HEAPCHK,
        "heapchk.after-a-write-after-free",
        "what it says after freed blocks were written to",
        stated(Remarks),
        &[&LATE],
        &[by(
            "anything: _HEAPBADNODE, nothing, or the end of the process",
            recorded,
        )],
    ),
    // PAGE: _heapchk, _heapwalk
    record(
        HEAPCHK,
        "heapchk.walkable-after-damage",
        "whether the damaged heap can still be walked, and still allocates",
        stated(Remarks),
        &[&OVERRUN_CASE, &TWICE, &WILD, &LATE],
        &[by(
            "anything: live blocks found and a block given, or the end of the process",
            walkable,
        )],
    ),
];

static OVERRUN_CASE: Case = Case::new(
    "damage-overrun",
    "writes the byte behind the end, as _msize has it, of one block between others",
    overrun,
)
.undefined();

static TWICE: Case = Case::new(
    "damage-double-free",
    "frees a block twice, with others alive around it",
    double_free,
)
.undefined();

static WILD: Case = Case::new(
    "damage-wild-free",
    "frees an address in the middle of a live block, with others alive around it",
    wild_free,
)
.undefined();

static LATE: Case = Case::new(
    "damage-write-after-free",
    "writes over the whole of two blocks after they were freed, with others alive around them",
    write_after_free,
)
.undefined();

const SIZE: usize = 100;
const FOUND: &str = "live blocks found";
const WANTED: &str = "live blocks";
const ALLOCATES: &str = "allocates";

fn overrun(probe: &mut Probe) -> Result<(), Stop> {
    let blocks = some_blocks(probe)?;
    probe.step("write a byte behind the end")?;
    let mut block = the_block(&blocks);
    let end = match probe.crt.has("_msize") {
        true => probe.crt.msize(&block)?,
        false => SIZE,
    };
    block.write_byte(end, 0xDB);
    look(probe, blocks)
}

fn double_free(probe: &mut Probe) -> Result<(), Stop> {
    let mut blocks = some_blocks(probe)?;
    let block = the_block(&blocks);
    probe.step("free a block twice")?;
    blocks.free_where(&probe.crt, |index| index == MIDDLE)?;
    probe.crt.free(block)?;
    look(probe, blocks)
}

fn wild_free(probe: &mut Probe) -> Result<(), Stop> {
    let blocks = some_blocks(probe)?;
    let middle = Block::at(the_block(&blocks).address() + 32, 0);
    probe.step("free an address in the middle of a block")?;
    probe.crt.free(middle)?;
    look(probe, blocks)
}

fn write_after_free(probe: &mut Probe) -> Result<(), Stop> {
    let mut blocks = some_blocks(probe)?;
    let mut gone = [the_block(&blocks), another_block(&blocks)];
    blocks.free_where(&probe.crt, |index| index == MIDDLE || index == MIDDLE + 2)?;
    probe.step("write over freed blocks")?;
    for block in &mut gone {
        block.fill(0xDB);
    }
    look(probe, blocks)
}

const COUNT: usize = 40;
const MIDDLE: usize = COUNT / 2;

fn some_blocks(probe: &Probe) -> Result<Blocks, Stop> {
    let mut blocks = Blocks::with_room_for(COUNT)?;
    blocks.fill(&probe.crt, |_| SIZE)?;
    Ok(blocks)
}

fn the_block(blocks: &Blocks) -> Block {
    nth(blocks, MIDDLE)
}

fn another_block(blocks: &Blocks) -> Block {
    nth(blocks, MIDDLE + 2)
}

fn nth(blocks: &Blocks, wanted: usize) -> Block {
    let mut live = blocks.live();
    let block = live.find_map(|(index, block)| (index == wanted).then_some(block));
    block.expect("every block is live before the damage")
}

/// Looks at the heap after the damage, walks it, asks for a block, frees what
/// is alive, and looks again.
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

/// How the process ended before the case did, if so.
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
        None if parts.is_empty() => parts.push("nothing noticed; there is no _heapchk".into()),
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
        return Judgement::unsupported(match ended(seen) {
            Some(end) => format!("no error was told: {end}"),
            None => "no error was told".into(),
        });
    };
    match call.errno {
        None => Judgement::unsupported(NO_ERRNO),
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
