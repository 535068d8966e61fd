//! Cases in which the system refuses to take memory back, or is made to say
//! yes, as it is made to by `heapmin_harness::probe::fault`.

use super::release::held_and_left;
use crate::clause::Section::Remarks;
use crate::clause::check::by;
use crate::clause::{Case, Clause, Judgement, Routine, Seen, should, stated};
use crate::clauses::pages;
use crate::clauses::workload::{MIB, count_for, mixed_size, scattered, small_size, warm_up};
use crate::figures::amount;
use crate::judge::LOST_BYTES;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::fault::{Plan, Refusal};
use heapmin_harness::probe::{ErrorState, Probe, Stop};

/// How the system is made to refuse, for those who ask.
pub const HOW: &str = "\
without a hook in the library. Linux: a seccomp filter in the probe sends madvise, munmap, \
mremap, process_madvise and a lowered brk to a handler, which refuses them (ENOSYS, EPERM, ENOMEM, \
EINVAL) or makes them in the library's place. Windows and Wine: the library's imports of \
HeapCompact, VirtualFree, VirtualAlloc with MEM_RESET, DiscardVirtualMemory, OfferVirtualMemory \
and the Nt forms are replaced after it was loaded; they fail with last error 120, 5, 8, 87 or with \
none set. The probe counts: a library that never asks the system gets `unsupported`, not a pass";

pub static UNSUPPORTED: Case = Case::new(
    "fault-unsupported",
    "the system says that it has no such call (last error 120 on Windows, ENOSYS elsewhere)",
    |probe| refused(probe, Refusal::Unsupported),
)
.fault("unsupported");

pub static ACCESS_DENIED: Case = Case::new(
    "fault-access-denied",
    "the system denies access (last error 5, EPERM)",
    |probe| refused(probe, Refusal::AccessDenied),
)
.fault("access-denied");

pub static NO_MEMORY: Case = Case::new(
    "fault-no-memory",
    "the system has no memory for it (last error 8, ENOMEM)",
    |probe| refused(probe, Refusal::NoMemory),
)
.fault("no-memory");

pub static INVALID_PARAMETER: Case = Case::new(
    "fault-invalid-parameter",
    "the system finds a parameter wrong (last error 87, EINVAL)",
    |probe| refused(probe, Refusal::InvalidParameter),
)
.fault("invalid-parameter");

pub static STALE: Case = Case::new(
    "fault-stale",
    "the system fails and sets no last error, so that an older one is found",
    |probe| refused(probe, Refusal::Stale),
)
.fault("stale");

pub static SUCCEEDS: Case = Case::new(
    "fault-succeeds",
    "the system says yes, where Wine's own would always say no",
    succeeds,
)
.fault("succeeds");

pub static MIDWAY: Case = Case::new("fault-midway", "the system refuses the first release of a call, then the second, and so on to the last; each time another call follows", midway).fault("midway");

const HEAPMIN: Routine = Routine {
    name: "_heapmin",
    page: &pages::HEAPMIN,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: _heapmin
    should(
        HEAPMIN,
        "heapmin.recovers",
        "after a refusal, also of one release among many, nothing is lost and a later call that is not refused succeeds and releases",
        stated(Remarks),
        &[
            &UNSUPPORTED,
            &ACCESS_DENIED,
            &NO_MEMORY,
            &INVALID_PARAMETER,
            &STALE,
            &MIDWAY,
        ],
        &[by(
            "0 or -1 from the call that was refused, every byte as written, and 0 from the next call, with at most 10 % still resident",
            recovers,
        )],
    ),
];

const DOSERRNO: u32 = 54_321;
/// 38 and 40 are `ENOSYS` on Linux and at Microsoft; 77 is nothing to anybody.
const ERRNO: [i32; 5] = [0, 2, 38, 40, 77];
/// None, access denied, and an old "call not implemented".
const LAST_ERROR: [u32; 3] = [0, 5, 120];
/// More releases than this in one call are not tried one by one.
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
                doserrno: DOSERRNO,
                last_error,
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

fn succeeds(probe: &mut Probe) -> Result<(), Stop> {
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
                doserrno: DOSERRNO,
                last_error,
            };
            probe.heapmin_under(Plan::Succeed, start)?;
        }
    }
    probe.crt.free(kept)
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

/// Whether a case made the system refuse, and never got to do so: the library
/// calls none of what was replaced. Then there is nothing to judge.
pub fn never_reached(seen: &Seen) -> Option<Judgement> {
    let mut refusals = seen
        .observation
        .calls("_heapmin")
        .filter_map(|call| call.refusals)
        .peekable();
    refusals.peek()?;
    let is_refusing = seen.case.name != SUCCEEDS.name;
    (is_refusing && refusals.all(|count| count == 0)).then(|| {
        Judgement::unsupported("the fault was never reached: _heapmin asked nothing of the system")
    })
}

fn recovers(seen: &Seen) -> Judgement {
    if let Some(judgement) = never_reached(seen) {
        return judgement;
    }
    if seen.case.name == MIDWAY.name {
        return recovers_midway(seen);
    }
    let returned = seen
        .observation
        .fact("returned when no longer refused")
        .unwrap_or(i64::MIN);
    match held_and_left(seen.observation, "minimised") {
        Ok((held, left)) => Judgement::pass_if(
            returned == 0 && left <= held / 10,
            format!(
                "every byte whole; the next call, not refused, returned {returned}, and {} of {} are still resident",
                amount(left),
                amount(held)
            ),
        ),
        Err(judgement) => judgement,
    }
}

/// One release of many was refused. The library may have found another way,
/// so 0 is an answer too. Whether -1 comes with `ENOSYS` is for another clause.
fn recovers_midway(seen: &Seen) -> Judgement {
    let (mut refused, mut told, mut unclear, mut unfinished) = (0, 0, 0, 0);
    for call in seen.observation.calls("_heapmin") {
        if call.refusals == Some(0) {
            unfinished += u32::from(call.returned != 0);
        } else {
            refused += 1;
            told += u32::from(call.returned == -1);
            unclear += u32::from(!matches!(call.returned, 0 | -1));
        }
    }
    Judgement::pass_if(
        unclear == 0 && unfinished == 0,
        format!(
            "{refused} releases refused one by one: {told} times -1, {unclear} times neither 0 nor -1; {unfinished} times the next call failed"
        ),
    )
}
