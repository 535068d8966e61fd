//! A call of `_heapmin` that fails returns -1, sets `errno` to `ENOSYS`, and
//! leaves the heap usable.
//!
//! The clauses are judged where a library fails without a fault, as Wine's do,
//! and where the system is made to refuse ([`super::faults`]).

use super::HEAPMIN;
use super::empty_heap::EMPTY;
use super::faults;
use super::start_values::START_VALUES;
use crate::clause::Section::{Remarks, ReturnValue};
use crate::clause::check::{Check, NO_ERRNO, by, only_if, other_number};
use crate::clause::{Case, Clause, Judgement, Seen, derived, must, record, stated};
use crate::clauses::pages;
use crate::clauses::workload::{MIB, count_for, mixed_size, scattered};
use crate::judge::LOST_BYTES;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::{Probe, Stop};
use heapmin_harness::wire::observation::Call;

pub(crate) static CLAUSES: &[Clause] = &[
    must(
        HEAPMIN,
        "heapmin.failure-returns-minus-one",
        "_heapmin returns -1 and no other value if it fails",
        stated(ReturnValue),
        &[
            &START_VALUES,
            &EMPTY,
            &faults::UNSUPPORTED,
            &faults::ACCESS_DENIED,
            &faults::NO_MEMORY,
            &faults::INVALID_PARAMETER,
            &faults::STALE,
        ],
        &[SOME_CALL_FAILS, MINUS_ONE],
    )
    // With `heapmin.success-returns-zero`; see there.
    .essential(),
    must(
        HEAPMIN,
        "heapmin.failure-sets-enosys",
        "_heapmin sets errno to ENOSYS if it fails, whatever errno and the system's last error were before",
        stated(ReturnValue),
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
        &[SOME_CALL_FAILS, ENOSYS],
    ),
    must(
        HEAPMIN,
        "heapmin.unsupported-os",
        "on a system that cannot release heap memory, _heapmin returns -1 and sets errno to ENOSYS, and the heap stays usable",
        derived(
            Remarks,
            "the page states -1 and ENOSYS for such a system, and names no other effect",
        ),
        &[&faults::UNSUPPORTED, &AFTER_FAILURE],
        &[SOME_CALL_FAILS, MINUS_ONE, ENOSYS],
    ),
    record(
        HEAPMIN,
        "heapmin.doserrno",
        "_doserrno holds some value after _heapmin fails; the suite records it, because no page promises one",
        derived(Remarks, "most calls without I/O do not set _doserrno").on(&pages::ERRNO),
        &[&START_VALUES, &faults::UNSUPPORTED, &faults::ACCESS_DENIED],
        &[SOME_CALL_FAILS, by("any value of _doserrno", doserrno)],
    ),
];

static AFTER_FAILURE: Case = Case::new(
    "heap-after-failure",
    "calls _heapmin between live blocks, then allocates, checks and frees blocks",
    after_failure,
);

const SOME_CALL_FAILS: Check = only_if("a call fails, or the system refuses a request", no_failure);
const MINUS_ONE: Check = by("-1 from each such call", returns_minus_one);
const ENOSYS: Check = by(
    "errno ENOSYS after each such call that does not return 0",
    sets_enosys,
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

/// The calls that failed, and those that should have: the system refused them.
fn failures<'a>(seen: &'a Seen) -> impl Iterator<Item = &'a Call> {
    let calls = seen.observation.calls("_heapmin");
    calls.filter(|call| match call.refusals {
        Some(refusals) => refusals > 0,
        None => call.returned != 0,
    })
}

fn no_failure(seen: &Seen) -> Option<Judgement> {
    faults::never_reached(seen).or_else(|| match failures(seen).next() {
        None => Some(Judgement::not_judged("no call failed")),
        Some(_) => None,
    })
}

fn returns_minus_one(seen: &Seen) -> Judgement {
    let count = failures(seen).count();
    let Some(call) = failures(seen).find(|call| call.returned != -1) else {
        return Judgement::pass(format!("-1 from all {count} calls that failed"));
    };
    let mut observed = format!("a call returned {}", call.returned);
    if let Some(refusals) = call.refusals {
        observed += &format!(", although the system refused {refusals} times");
    }
    Judgement::fail(observed)
}

fn sets_enosys(seen: &Seen) -> Judgement {
    let failed: Vec<_> = failures(seen).filter(|it| it.returned != 0).collect();
    let describe = |number| seen.numbering.describe(number);
    let mut wrong = Vec::new();
    let mut hint = None;
    for call in &failed {
        let Some((before, after)) = call.errno else {
            return Judgement::not_judged(NO_ERRNO);
        };
        if Some(after) != seen.numbering.number("ENOSYS") {
            hint = hint.or_else(|| other_number(seen, "ENOSYS", after));
            wrong.push(format!(
                "errno {} (before: {}, last error {})",
                describe(after),
                describe(before),
                call.last_error_before
            ));
        }
    }
    let (count, failed) = (wrong.len(), failed.len());
    wrong.dedup();
    let judgement = match wrong.as_slice() {
        _ if failed == 0 => Judgement::not_judged("every call that the system refused returned 0"),
        [] => Judgement::pass(format!(
            "errno was ENOSYS after all {failed} calls that failed"
        )),
        [one] => Judgement::fail(format!("{count} of {failed}: {one}")),
        [first, .., last] => Judgement::fail(format!("{count} of {failed}: {first}; … {last}")),
    };
    Judgement { hint, ..judgement }
}

fn doserrno(seen: &Seen) -> Judgement {
    let values = failures(seen).filter_map(|call| call.doserrno);
    let mut values: Vec<String> = values
        .map(|(before, after)| match before == after {
            true => "as before".into(),
            false => after.to_string(),
        })
        .collect();
    values.sort();
    values.dedup();
    match values.is_empty() {
        true => seen.missing("__doserrno"),
        false => Judgement::pass(format!("_doserrno after a failure: {}", values.join(", "))),
    }
}
