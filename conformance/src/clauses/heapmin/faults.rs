//! Cases in which the system refuses to release memory, or in which Wine's
//! system is made to succeed. `heapmin_harness::probe::fault` does both.

use super::HEAPMIN;
use super::release::{held_and_left, merged};
use crate::clause::Section::{Remarks, ReturnValue};
use crate::clause::check::{Check, by, every_call, one_of, only_if};
use crate::clause::{Case, Clause, Judgement, Seen, derived, limited, should};
use crate::clauses::codes::ZERO;
use crate::clauses::workload::{MIB, count_for, mixed_size, scattered, small_size, warm_up};
use crate::clauses::{limits, pages};
use crate::figures::amount;
use crate::judge::LOST_BYTES;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::fault::{Plan, Refusal};
use heapmin_harness::probe::{ErrorState, Probe, Stop};

pub(crate) static CLAUSES: &[Clause] = &[
should(
    HEAPMIN,
    "heapmin.recovers",
    "after the system refused one or all of its requests, _heapmin has lost nothing, and a later call that the system does not refuse succeeds and releases the unused memory",
    limited(Remarks, &limits::TENTH_OF_WORKLOAD),
    &[
        &UNSUPPORTED,
        &ACCESS_DENIED,
        &NO_MEMORY,
        &INVALID_PARAMETER,
        &STALE,
        &MIDWAY,
    ],
    &[
        SOME_REFUSAL,
        by(
            "0 or -1 from the call that was refused, every byte as written, and 0 from the next call, after which at most 10 % are still resident",
            |seen| merged(recovers(seen)),
        ),
    ],
)
    .rests_on_system()
,
    should(
        HEAPMIN,
        "heapmin.nothing-free",
        "_heapmin returns 0 and leaves errno as it was if HeapCompact returns 0 with the last error NO_ERROR, because the heap then has no free space and nothing failed",
        derived(
            ReturnValue,
            "HeapCompact returns 0 with NO_ERROR if there is no space in the heap, and with another last error if it fails; _heapmin returns 0 if it succeeds",
        )
        .on(&pages::HEAPCOMPACT)
        .and(&pages::HEAPMIN, ReturnValue),
        &[&NOTHING_FREE],
        &[
            only_if("_heapmin calls HeapCompact", |seen| {
                let calls = seen.observation.calls("_heapmin");
                let mut met = calls.filter(|call| call.refusals.is_some_and(|count| count > 0));
                match met.next() {
                    Some(_) => None,
                    None => Some(Judgement::not_judged("_heapmin made no call of HeapCompact")),
                }
            }),
            every_call(one_of(&[ZERO]).keeps_errno()),
        ],
    ),
];

pub(crate) static UNSUPPORTED: Case = Case::new(
    "fault-unsupported",
    "calls _heapmin while the system answers that it has no such call (last error 120 on Windows, ENOSYS elsewhere)",
    |probe| refused(probe, Refusal::Unsupported),
)
.fault("unsupported");

pub(crate) static ACCESS_DENIED: Case = Case::new(
    "fault-access-denied",
    "calls _heapmin while the system denies access (last error 5 on Windows, EPERM elsewhere)",
    |probe| refused(probe, Refusal::AccessDenied),
)
.fault("access-denied");

pub(crate) static NO_MEMORY: Case = Case::new(
    "fault-no-memory",
    "calls _heapmin while the system has no memory for the request (last error 8 on Windows, ENOMEM elsewhere)",
    |probe| refused(probe, Refusal::NoMemory),
)
.fault("no-memory");

pub(crate) static INVALID_PARAMETER: Case = Case::new(
    "fault-invalid-parameter",
    "calls _heapmin while the system finds a parameter invalid (last error 87 on Windows, EINVAL elsewhere)",
    |probe| refused(probe, Refusal::InvalidParameter),
)
.fault("invalid-parameter");

pub(crate) static STALE: Case = Case::new(
    "fault-stale",
    "calls _heapmin while the system fails and sets no last error, so that an older one remains",
    |probe| refused(probe, Refusal::Stale),
)
.fault("stale");

pub(crate) static MIDWAY: Case = Case::new(
    "fault-midway",
    "calls _heapmin while the system refuses its first release, then the second, and so on to the last; calls it again after each",
    midway,
)
.fault("midway");

pub(crate) static SUCCEEDS: Case = Case::new(
    "fault-succeeds",
    "calls _heapmin while the system succeeds, also where Wine's would always fail",
    |probe| call_under(probe, Plan::Succeed),
)
.fault("succeeds");

pub(crate) static NOTHING_FREE: Case = Case::new(
    "fault-nothing-free",
    "calls _heapmin while HeapCompact returns 0 with the last error NO_ERROR: the heap has no free space",
    |probe| match cfg!(windows) {
        true => call_under(probe, Plan::NothingFree),
        false => Err(Stop::NotApplicable("only Windows has HeapCompact".into())),
    },
)
.fault("nothing-free");

const SOME_REFUSAL: Check = only_if("the system refuses a request", never_reached);

/// `ENOSYS` is 38 on Linux and 40 in Microsoft's libraries; 77 is an error that
/// no heap sets.
const ERRNO: [i32; 5] = [0, 2, 38, 40, 77];
/// No error, access denied, and call not implemented.
const LAST_ERROR: [u32; 3] = [0, 5, 120];
/// Number of releases in one call that are refused one by one, at most.
const MOST_RELEASES: u32 = 400;

fn refused(probe: &mut Probe, refusal: Refusal) -> Result<(), Stop> {
    if cfg!(unix) && refusal == Refusal::Stale {
        return Err(Stop::NotApplicable(
            "a system call on Unix says why it fails; there is no older reason to be found".into(),
        ));
    }
    let mut blocks = Blocks::with_room_for(count_for(32 * MIB, mixed_size))?;
    warm_up(probe)?;
    probe.prepare_fault()?;
    probe.moment("baseline")?;
    probe.step("allocate 32 MiB and free most of it")?;
    blocks.fill(&probe.crt, mixed_size)?;
    probe.moment("peak")?;
    blocks.free_where(&probe.crt, |index| scattered(index) % 8 != 0)?;
    for errno in ERRNO {
        for last_error in LAST_ERROR {
            probe.step(&format!(
                "_heapmin, refused, errno {errno}, last error {last_error}"
            ))?;
            let start = ErrorState {
                errno,
                last_error,
                ..ErrorState::MARKED
            };
            probe.heapmin_under(Plan::Refuse(refusal), start)?;
        }
    }
    probe.step("check the live blocks and fill the gaps")?;
    let mut lost = blocks.lost_bytes();
    blocks.fill(&probe.crt, mixed_size)?;
    lost += blocks.lost_bytes();
    blocks.free_all(&probe.crt)?;
    probe.step("_heapmin, no longer refused")?;
    let (returned, _) = probe.heapmin_under(Plan::Succeed, ErrorState::CLEAR)?;
    probe.moment("minimised")?;
    probe.fact(LOST_BYTES, lost)?;
    probe.fact("returned when no longer refused", returned.into())
}

fn midway(probe: &mut Probe) -> Result<(), Stop> {
    let mut blocks = Blocks::with_room_for(count_for(MIB / 2, small_size))?;
    warm_up(probe)?;
    probe.prepare_fault()?;
    let mut lost = 0;
    let mut number = 1;
    probe.step("refuse the first release, then the second, and so on")?;
    loop {
        blocks.fill(&probe.crt, small_size)?;
        blocks.free_where(&probe.crt, |index| scattered(index) % 10 != 0)?;
        let plan = Plan::RefuseNth(Refusal::Unsupported, number);
        let (_, seen) = probe.heapmin_under(plan, ErrorState::CLEAR)?;
        lost += blocks.lost_bytes();
        if seen < number || number > MOST_RELEASES {
            break;
        }
        probe.heapmin_under(Plan::Succeed, ErrorState::CLEAR)?;
        lost += blocks.lost_bytes();
        number += 1;
    }
    blocks.fill(&probe.crt, small_size)?;
    probe.fact(LOST_BYTES, lost + blocks.lost_bytes())?;
    blocks.free_all(&probe.crt)
}

fn call_under(probe: &mut Probe, plan: Plan) -> Result<(), Stop> {
    warm_up(probe)?;
    probe.prepare_fault()?;
    let kept = probe.crt.need(1000)?;
    for errno in ERRNO {
        for last_error in LAST_ERROR {
            let block = probe.crt.need(100_000)?;
            probe.crt.free(block)?;
            probe.step(&format!("_heapmin, errno {errno}, last error {last_error}"))?;
            let start = ErrorState {
                errno,
                last_error,
                ..ErrorState::MARKED
            };
            probe.heapmin_under(plan, start)?;
        }
    }
    probe.crt.free(kept)
}

/// The judgement of a case in which the system should refuse and did not,
/// because the library made none of the requests that are refused.
pub(crate) fn never_reached(seen: &Seen) -> Option<Judgement> {
    let calls = seen.observation.calls("_heapmin");
    let refusals: Vec<_> = calls.filter_map(|call| call.refusals).collect();
    let is_refusing = !refusals.is_empty() && seen.case.name != SUCCEEDS.name;
    (is_refusing && refusals.iter().all(|count| *count == 0)).then(|| {
        Judgement::not_judged(
            "the fault was never reached: _heapmin made no system call that releases memory",
        )
    })
}

fn recovers(seen: &Seen) -> Result<Judgement, Judgement> {
    if seen.case.name == MIDWAY.name {
        return Ok(recovers_midway(seen));
    }
    let returned = seen.observation.fact("returned when no longer refused");
    let returned = returned.unwrap_or(i64::MIN);
    let (held, left) = held_and_left(seen.observation, "minimised")?;
    Ok(Judgement::pass_if(
        returned == 0 && left <= held / 10,
        format!(
            "every byte whole; the next call, not refused, returned {returned}, and {} of {} are still resident",
            amount(left),
            amount(held)
        ),
    ))
}

/// Judges calls of which one release among many was refused. The library may
/// release the memory in another way, so that 0 is right too. Another clause
/// judges whether -1 comes with `ENOSYS`.
fn recovers_midway(seen: &Seen) -> Judgement {
    let (mut refused, mut failed, mut unclear, mut unfinished) = (0, 0, 0, 0);
    for call in seen.observation.calls("_heapmin") {
        if call.refusals == Some(0) {
            unfinished += u32::from(call.returned != 0);
        } else {
            refused += 1;
            failed += u32::from(call.returned == -1);
            unclear += u32::from(!matches!(call.returned, 0 | -1));
        }
    }
    Judgement::pass_if(
        unclear == 0 && unfinished == 0,
        format!(
            "{refused} releases refused one by one: {failed} times -1, {unclear} times neither 0 nor -1; {unfinished} times the next call failed"
        ),
    )
}
