//! Each thread has its own `errno`.

use super::HEAPMIN;
use crate::clause::Section::Syntax;
use crate::clause::check::{NO_ERRNO, by};
use crate::clause::{Case, Clause, Judgement, Seen, derived, must};
use crate::clauses::pages;
use crate::clauses::sizes::UNAVAILABLE;
use heapmin_harness::probe::{ErrorState, Probe, Stop};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

pub(crate) static CLAUSES: &[Clause] = &[must(
    HEAPMIN,
    "heapmin.errno-per-thread",
    "a call that fails in one thread leaves errno of another thread as it was",
    derived(
        Syntax,
        "the library defines errno through its function _errno, and C11 (7.5) gives each thread its own errno",
    )
    .on(&pages::ERRNO),
    &[&TWO_THREADS],
    &[by("errno of the first thread as this thread set it", per_thread)],
)];

static TWO_THREADS: Case = Case::new(
    "failure-in-another-thread",
    "sets errno, lets a second thread request more memory than any system has and call _heapmin, and reads errno again",
    two_threads,
);

const HERE: i32 = 77;
const THERE: i32 = 5;
/// A size in bytes for which no system has memory.
const TOO_MUCH: usize = UNAVAILABLE[2];

fn two_threads(probe: &mut Probe) -> Result<(), Stop> {
    if probe.crt.errno().is_none() {
        return Err(Stop::NotJudged(NO_ERRNO.into()));
    }
    probe.step("a second thread fails")?;
    let crt = &probe.crt;
    let (go, done) = (AtomicBool::new(false), AtomicBool::new(false));
    let (there, call, here) = thread::scope(|scope| {
        let other = scope.spawn(|| {
            wait_for(&go);
            crt.set_errno(THERE);
            let failed = crt.malloc(TOO_MUCH).map(|block| block.is_none());
            let errno = crt.errno();
            let call = crt.observed_heapmin(ErrorState::CLEAR);
            done.store(true, Ordering::Release);
            (failed.map(|failed| (failed, errno)), call)
        });
        crt.set_errno(HERE);
        go.store(true, Ordering::Release);
        wait_for(&done);
        // Read now, before another call of this thread can set it.
        let here = crt.errno();
        let (there, call) = other.join().expect("the second thread does not panic");
        (there, call, here)
    });
    let (failed, errno_there) = there?;
    probe.report(call?)?;
    probe.fact("malloc failed there", failed.into())?;
    probe.fact("errno there", errno_there.unwrap_or(-1).into())?;
    probe.fact("errno here", here.unwrap_or(-1).into())
}

fn wait_for(flag: &AtomicBool) {
    while !flag.load(Ordering::Acquire) {
        thread::yield_now();
    }
}

fn per_thread(seen: &Seen) -> Judgement {
    let fact = |name| seen.observation.fact(name).unwrap_or(-1) as i32;
    let (there, here) = (fact("errno there"), fact("errno here"));
    let describe = |number| seen.numbering.describe(number);
    if there == THERE {
        return Judgement::not_judged("no failure set errno in the second thread");
    }
    Judgement::pass_if(
        here == HERE,
        format!(
            "the first thread set errno to {HERE}; a failure set it to {} in the second; the first then read {}",
            describe(there),
            describe(here)
        ),
    )
}
