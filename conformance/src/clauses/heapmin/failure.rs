//! A call that fails returns -1, sets `errno` to `ENOSYS`, and does no harm.
//!
//! Judged where a library fails of its own accord, as Wine's do, and where the
//! system is made to refuse ([`super::faults`]).

use super::empty_heap::EMPTY;
use super::faults;
use super::start_values::START_VALUES;
use crate::clause::Section::Remarks;
use crate::clause::check::{NO_ERRNO, by};
use crate::clause::{Case, Clause, Judgement, Routine, Seen, must, record, stated};
use crate::clauses::pages;
use crate::clauses::workload::{MIB, count_for, mixed_size, scattered};
use crate::judge::LOST_BYTES;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::{Probe, Stop};
use heapmin_harness::wire::observation::Call;

const HEAPMIN: Routine = Routine {
    name: "_heapmin",
    page: &pages::HEAPMIN,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: _heapmin
    must(
        HEAPMIN,
        "heapmin.failure-returns-minus-one",
        "a call that fails returns -1 and nothing else",
        stated(Remarks),
        &[
            &START_VALUES,
            &EMPTY,
            &faults::UNSUPPORTED,
            &faults::ACCESS_DENIED,
            &faults::NO_MEMORY,
            &faults::INVALID_PARAMETER,
            &faults::STALE,
        ],
        &[by(
            "-1 from every call that does not return 0",
            returns_minus_one,
        )],
    ),
    // PAGE: _heapmin
    must(
        HEAPMIN,
        "heapmin.failure-sets-enosys",
        "a call that fails sets errno to ENOSYS, whatever errno and the system's last error were before",
        stated(Remarks),
        &[
            &START_VALUES,
            &EMPTY,
            &faults::UNSUPPORTED,
            &faults::ACCESS_DENIED,
            &faults::NO_MEMORY,
            &faults::INVALID_PARAMETER,
            &faults::STALE,
            &faults::MIDWAY,
        ],
        &[by("errno ENOSYS after every call that fails", sets_enosys)],
    ),
    // PAGE: _heapmin
    must(
        HEAPMIN,
        "heapmin.unsupported-os",
        "on a system that cannot release heap memory it returns -1 with ENOSYS, and the heap stays usable",
        stated(Remarks),
        &[&faults::UNSUPPORTED, &AFTER_FAILURE],
        &[by(
            "-1 with ENOSYS, every live block whole, and new blocks to be had",
            unsupported_os,
        )],
    ),
    // PAGE: errno
    record(
        HEAPMIN,
        "heapmin.doserrno",
        "what _doserrno holds after a failure; nothing is promised for calls that are no I/O",
        stated(Remarks),
        &[&START_VALUES, &faults::UNSUPPORTED, &faults::ACCESS_DENIED],
        &[by("nothing; it is written down", doserrno)],
    ),
];

static AFTER_FAILURE: Case = Case::new(
    "heap-after-failure",
    "calls _heapmin between live blocks, then allocates, checks and frees",
    after_failure,
);

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

/// The calls that failed, or had to: those that the system refused.
fn failures<'a>(seen: &'a Seen) -> impl Iterator<Item = &'a Call> {
    let calls = seen.observation.calls("_heapmin");
    calls.filter(|call| match call.refusals {
        Some(refusals) => refusals > 0,
        None => call.returned != 0,
    })
}

/// Why there is no failure to judge, if there is none.
fn no_failure(seen: &Seen) -> Option<Judgement> {
    if let Some(judgement) = faults::never_reached(seen) {
        return Some(judgement);
    }
    failures(seen)
        .next()
        .is_none()
        .then(|| Judgement::unsupported("no call failed"))
}

fn returns_minus_one(seen: &Seen) -> Judgement {
    if let Some(judgement) = no_failure(seen) {
        return judgement;
    }
    if let Some(call) = failures(seen).find(|call| call.returned != -1) {
        return Judgement::fail(format!(
            "a call returned {}{}",
            call.returned,
            although_refused(call)
        ));
    }
    let count = failures(seen).count();
    Judgement::pass(format!("-1 from all {count} calls that failed"))
}

fn although_refused(call: &Call) -> String {
    match call.refusals {
        Some(count) => format!(", although the system refused {count} times"),
        None => String::new(),
    }
}

fn sets_enosys(seen: &Seen) -> Judgement {
    if let Some(judgement) = no_failure(seen) {
        return judgement;
    }
    let mut wrong = Vec::new();
    let mut failed = 0;
    for call in failures(seen).filter(|call| call.returned != 0) {
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
        (0, _) => Judgement::unsupported("every call that was refused returned 0 all the same"),
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
        let reason = NO_ERRNO;
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
    if let Some(judgement) = no_failure(seen) {
        return judgement;
    }
    for call in failures(seen) {
        if call.returned != -1 {
            return Judgement::fail(format!(
                "it returned {}{}",
                call.returned,
                although_refused(call)
            ));
        }
        match wrong_errno(seen, call) {
            Ok(None) => {}
            Ok(Some(text)) => {
                return Judgement::fail(format!("-1 with {text}; the heap stayed usable"));
            }
            Err(judgement) => return judgement,
        }
    }
    Judgement::pass("-1 with ENOSYS, and the heap stayed usable")
}

fn doserrno(seen: &Seen) -> Judgement {
    if let Some(judgement) = no_failure(seen) {
        return judgement;
    }
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
    match values.is_empty() {
        true => Judgement::unsupported("the library does not export __doserrno"),
        false => Judgement::pass(format!("_doserrno after a failure: {}", values.join(", "))),
    }
}
