//! A call that fails returns -1, sets `errno` to `ENOSYS`, and does no harm.
//!
//! Here a library fails of its own accord or not at all: Wine's does, since
//! its system call for it is not written.

use super::empty_heap::EMPTY;
use super::start_values::START_VALUES;
use super::workload::{MIB, count_for, mixed_size, scattered};
use crate::clause::{Case, Clause, Judgement, Level, Seen};
use crate::judge::LOST_BYTES;
use heapmin_harness::observation::Call;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::{Probe, Stop};

pub static RETURNS_MINUS_ONE: Clause = Clause {
    id: "heapmin.failure-returns-minus-one",
    routine: "_heapmin",
    level: Level::Must,
    page: "_heapmin",
    summary: "a call that fails returns -1 and nothing else",
    expects: "-1 from every call that does not return 0",
    needs_success: false,
    cases: &[&START_VALUES, &EMPTY],
    judge: returns_minus_one,
};

pub static SETS_ENOSYS: Clause = Clause {
    id: "heapmin.failure-sets-enosys",
    routine: "_heapmin",
    level: Level::Must,
    page: "_heapmin",
    summary: "a call that fails sets errno to ENOSYS, whatever errno and the system's last error were before",
    expects: "errno ENOSYS after every call that fails",
    needs_success: false,
    cases: &[&START_VALUES, &EMPTY],
    judge: sets_enosys,
};

pub static UNSUPPORTED_OS: Clause = Clause {
    id: "heapmin.unsupported-os",
    routine: "_heapmin",
    level: Level::Must,
    page: "_heapmin",
    summary: "on a system that cannot release heap memory it returns -1 with ENOSYS, and the heap stays usable",
    expects: "-1 with ENOSYS, every live block whole, and new blocks to be had",
    needs_success: false,
    cases: &[&AFTER_FAILURE],
    judge: unsupported_os,
};

pub static DOSERRNO: Clause = Clause {
    id: "heapmin.doserrno",
    routine: "_heapmin",
    level: Level::Record,
    page: "errno",
    summary: "what _doserrno holds after a failure; nothing is promised for calls that are no I/O",
    expects: "nothing; it is written down",
    needs_success: false,
    cases: &[&START_VALUES],
    judge: doserrno,
};

static AFTER_FAILURE: Case = Case {
    name: "heap-after-failure",
    summary: "calls _heapmin between live blocks, then allocates, checks and frees",
    act: after_failure,
};

fn after_failure(probe: &mut Probe) -> Result<(), Stop> {
    let mut blocks = Blocks::with_room_for(count_for(8 * MIB, mixed_size))?;
    probe.step("allocate 8 MiB and free every other block")?;
    blocks.fill(&probe.crt, mixed_size)?;
    blocks.free_where(&probe.crt, |index| scattered(index) % 2 == 0)?;
    probe.step("_heapmin")?;
    probe.heapmin()?;
    probe.step("allocate the freed blocks again, check and free all")?;
    blocks.fill(&probe.crt, mixed_size)?;
    probe.fact(LOST_BYTES, blocks.lost_bytes())?;
    blocks.free_all(&probe.crt)
}

fn failures<'a>(seen: &'a Seen) -> impl Iterator<Item = &'a Call> {
    seen.observation
        .calls("_heapmin")
        .filter(|call| call.returned != 0)
}

fn no_failure() -> Judgement {
    Judgement::unsupported("no call failed")
}

fn returns_minus_one(seen: &Seen) -> Judgement {
    if let Some(call) = failures(seen).find(|call| call.returned != -1) {
        return Judgement::fail(format!("a call returned {}", call.returned));
    }
    match failures(seen).count() {
        0 => no_failure(),
        count => Judgement::pass(format!("-1 from all {count} calls that failed")),
    }
}

fn sets_enosys(seen: &Seen) -> Judgement {
    let mut wrong = Vec::new();
    let mut failed = 0;
    for call in failures(seen) {
        failed += 1;
        match wrong_errno(seen, call) {
            Ok(None) => {}
            Ok(Some(text)) => wrong.push(text),
            Err(judgement) => return judgement,
        }
    }
    let count = wrong.len();
    wrong.dedup();
    match (failed, wrong.as_slice()) {
        (0, _) => no_failure(),
        (_, []) => Judgement::pass(format!(
            "errno was ENOSYS after all {failed} calls that failed"
        )),
        (_, [one]) => Judgement::fail(format!("{count} of {failed}: {one}")),
        (_, [first, .., last]) => {
            Judgement::fail(format!("{count} of {failed}: {first}; … {last}"))
        }
    }
}

/// What is wrong with `errno` after a call that failed, if anything.
fn wrong_errno(seen: &Seen, call: &Call) -> Result<Option<String>, Judgement> {
    let Some((before, after)) = call.errno else {
        let reason = "nobody knows where the library keeps errno";
        return Err(Judgement::unsupported(reason));
    };
    if Some(after) == seen.numbering.number("ENOSYS") {
        return Ok(None);
    }
    let describe = |number| seen.numbering.describe(number);
    Ok(Some(format!(
        "errno {} (before: {}, last error {})",
        describe(after),
        describe(before),
        call.last_error_before
    )))
}

fn unsupported_os(seen: &Seen) -> Judgement {
    let Some(call) = failures(seen).next() else {
        return Judgement::unsupported(
            "the system did release memory, so this cannot be seen here",
        );
    };
    if call.returned != -1 {
        return Judgement::fail(format!("it returned {}", call.returned));
    }
    match wrong_errno(seen, call) {
        Ok(None) => Judgement::pass("-1 with ENOSYS, and the heap stayed usable"),
        Ok(Some(text)) => Judgement::fail(format!("-1 with {text}; the heap stayed usable")),
        Err(judgement) => judgement,
    }
}

fn doserrno(seen: &Seen) -> Judgement {
    let mut values: Vec<String> = failures(seen)
        .filter_map(|call| call.doserrno)
        .map(|(before, after)| {
            if before == after {
                "as before".into()
            } else {
                after.to_string()
            }
        })
        .collect();
    values.sort();
    values.dedup();
    if failures(seen).next().is_none() {
        return no_failure();
    }
    match values.is_empty() {
        true => Judgement::unsupported("the library does not export __doserrno"),
        false => Judgement::pass(format!("_doserrno after a failure: {}", values.join(", "))),
    }
}
