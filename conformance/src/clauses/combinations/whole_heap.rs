//! Calls a routine of the whole heap, with live blocks of each size, alignment and history,
//! and again after they are freed.

use super::super::heapwalk::walk::{HEAP_BAD_NODE, HEAP_BAD_PTR, Search};
use super::Tally;
use super::blocks::{Conditions, Family, Given, HISTORIES, Held, History};
use super::steps::classes;
use heapmin_harness::probe::Stop;
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::fault::Plan;

/// A routine of the whole heap.
#[derive(Clone, Copy)]
pub(super) enum Whole {
    Heapmin,
    Heapchk,
    Heapwalk,
    Heapset,
}

const HEAP_BAD_BEGIN: i32 = -3;

/// The blocks of this thread that another one uses and frees.
pub(super) fn give(conditions: &Conditions) -> Result<Given, Stop> {
    let blocks = allocate(conditions, History::Fresh)?;
    Ok(blocks.into_iter().map(Some).collect())
}

/// Makes the calls.
pub(super) fn call(conditions: &Conditions, whole: Whole, mut given: Given) -> Result<Tally, Stop> {
    let mut tally = Tally::default();
    let mut check = |blocks: &[Held]| -> Result<(), Stop> {
        tally.wrong += i64::from(!is_right(conditions, whole, blocks)?);
        tally.changed += blocks.iter().map(Held::lost).sum::<usize>();
        tally.calls += 1;
        Ok(())
    };
    // A routine that writes all free memory takes long. It is called once for all blocks
    // that were freed, and before releases that may end what was freed before.
    let is_slow = matches!(whole, Whole::Heapset);
    let order = match is_slow {
        true => SLOW_ORDER,
        false => HISTORIES,
    };
    for history in order {
        let mut blocks = allocate(conditions, history)?;
        if history == History::OtherThread {
            blocks.extend(given.drain(..).flatten());
        }
        if !is_slow {
            check(&blocks)?;
        }
        for held in blocks {
            held.free(conditions)?;
        }
        let is_refused = matches!(conditions.plan, Some(Plan::Refuse(_)));
        if !is_slow || is_refused && history == History::Released {
            check(&[])?;
        }
    }
    if is_slow {
        let blocks = allocate(conditions, History::Fresh)?;
        check(&blocks)?;
        for held in blocks {
            held.free(conditions)?;
        }
    }
    Ok(tally)
}

/// The histories in an order in which releases come first.
const SLOW_ORDER: [History; 6] = [
    History::Released,
    History::Used,
    History::Fresh,
    History::OtherThread,
    History::ShrunkGrown,
    History::GrownShrunk,
];

/// Blocks of each class of sizes and alignments.
fn allocate(conditions: &Conditions, history: History) -> Result<Vec<Held>, Stop> {
    let aligned = ["_aligned_malloc", "_aligned_realloc", "_aligned_free"];
    let has_aligned = aligned.iter().all(|name| conditions.crt().has(name));
    let mut blocks = Vec::new();
    for is_aligned in [false, true] {
        if is_aligned && !has_aligned {
            continue;
        }
        let family = Family::of(is_aligned);
        for (size, rule) in classes(is_aligned) {
            if let Some(block) = family.block(conditions, size, rule, history)? {
                blocks.push(family.fill(block, 0, blocks.len() as u64));
            }
        }
    }
    Ok(blocks)
}

/// Calls the routine. Returns whether its result is right.
fn is_right(conditions: &Conditions, whole: Whole, blocks: &[Held]) -> Result<bool, Stop> {
    let is_sound = |status: i32| !matches!(status, HEAP_BAD_BEGIN | HEAP_BAD_NODE | HEAP_BAD_PTR);
    match whole {
        Whole::Heapmin => {
            let returned = conditions.call(|crt| crt.heapmin())?;
            Ok(matches!(returned, 0 | -1))
        }
        Whole::Heapchk => conditions.call(|crt| crt.heapchk()).map(is_sound),
        Whole::Heapset => conditions.call(|crt| crt.heapset(0xA5)).map(is_sound),
        Whole::Heapwalk => {
            // An aligned block may begin anywhere in its entry.
            let plain = blocks.iter().filter(|held| !held.is_aligned());
            let plain: Vec<&Block> = plain.map(|held| &held.block).collect();
            // The address space may be limited, also for the probe.
            let mut search = Search::for_blocks(&plain);
            let walked = conditions.call(|crt| search.walk(crt))?;
            // A library that does not support walks ends each at once.
            let can_walk = walked.entries > 0;
            let is_found = search.found_once() == plain.len() as i64;
            Ok(is_sound(walked.ended) && (is_found || !can_walk))
        }
    }
}
