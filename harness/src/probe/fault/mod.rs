//! Faults: makes the system refuse to take memory back, or to give memory, without a hook
//! in the candidate.
//!
//! The probe intercepts the calls that release memory. On Linux a seccomp filter sends
//! these system calls to a signal handler. On Windows the candidate's imports of these
//! routines are replaced. Both ways count the calls here and follow the plan that is set
//! here. The counts show whether a call met the fault. The calls that request memory are
//! intercepted on Linux only, and only for cases that ask for it.

#[cfg(windows)]
mod imports;
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64")
))]
mod seccomp;

use crate::wire::coverage::{Value, Values};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

/// How the system refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum Refusal {
    /// The system does not have the call: `ENOSYS`; last error 120, as on Windows 98.
    Unsupported = 1,
    /// `EPERM`; last error 5.
    AccessDenied = 2,
    /// `ENOMEM`; last error 8.
    NoMemory = 3,
    /// `EINVAL`; last error 87.
    InvalidParameter = 4,
    /// The call fails and does not set the last error, which keeps an earlier value. If that
    /// is `NO_ERROR`, `HeapCompact` reports no failure, and the call does not count as
    /// refused. Not possible on Linux.
    Stale = 5,
}

impl Refusal {
    const ALL: [Refusal; 5] = [
        Refusal::Unsupported,
        Refusal::AccessDenied,
        Refusal::NoMemory,
        Refusal::InvalidParameter,
        Refusal::Stale,
    ];
}

/// What the system does with calls that release memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// No change, and calls are not counted.
    Off,
    /// The system refuses every call.
    Refuse(Refusal),
    /// The system refuses only the call with this number, from 1.
    RefuseNth(Refusal, u32),
    /// The call succeeds, even if Wine has only a stub for it that fails. Otherwise as
    /// `Off`, but calls are counted.
    Succeed,
    /// `HeapCompact` returns 0 with the last error `NO_ERROR`: the heap has no free space,
    /// and nothing failed. Other calls succeed. Not possible on Linux.
    NothingFree,
    /// The system refuses every call that requests memory. Calls that release memory are
    /// not counted.
    NoMemory,
}

/// No call is refused or counted.
const OFF: u32 = 0;
/// No call is refused, and every call is counted.
const NONE_REFUSED: u32 = u32::MAX;
/// Every call is refused.
const ALL_REFUSED: u32 = u32::MAX - 1;

/// `HeapCompact` finds nothing that is free, and no call is refused.
const NOTHING_FREE: u32 = u32::MAX - 2;
/// Every call that requests memory is refused.
const NO_MEMORY: u32 = u32::MAX - 3;

/// The number of the call to refuse, from 1, or one of the constants above.
static WHICH: AtomicU32 = AtomicU32::new(OFF);
/// The refusal as a number; 0 for none.
static HOW: AtomicU8 = AtomicU8::new(0);
/// The number of calls since the plan was set.
static SEEN: AtomicU32 = AtomicU32::new(0);
/// The number of them that were refused.
static REFUSED: AtomicU32 = AtomicU32::new(0);

/// What happens to an intercepted call.
enum Answer {
    /// The system performs it.
    PassThrough,
    /// It succeeds.
    Succeed,
    /// It fails with this refusal.
    Refuse(Refusal),
}

/// Counts a call that releases memory and decides what happens to it.
fn answer() -> Answer {
    let which = WHICH.load(Ordering::SeqCst);
    if matches!(which, OFF | NO_MEMORY) {
        return Answer::PassThrough;
    }
    let number = SEEN.fetch_add(1, Ordering::SeqCst) + 1;
    if which != ALL_REFUSED && which != number {
        return Answer::Succeed;
    }
    let how = HOW.load(Ordering::SeqCst);
    match Refusal::ALL
        .into_iter()
        .find(|refusal| *refusal as u8 == how)
    {
        Some(refusal) => {
            REFUSED.fetch_add(1, Ordering::SeqCst);
            Answer::Refuse(refusal)
        }
        None => Answer::Succeed,
    }
}

/// What the system refuses now, for the record of what calls cover.
pub(super) fn in_force() -> Values {
    match WHICH.load(Ordering::SeqCst) {
        NO_MEMORY => Values::of(Value::MemoryRefused),
        OFF => Values::default(),
        _ if HOW.load(Ordering::SeqCst) == 0 => Values::default(),
        _ => Values::of(Value::ReleaseRefused),
    }
}

/// Whether a call that requests memory is refused. Counts it under [`Plan::NoMemory`].
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
fn refuses_memory() -> bool {
    let refuses = WHICH.load(Ordering::SeqCst) == NO_MEMORY;
    if refuses {
        SEEN.fetch_add(1, Ordering::SeqCst);
        REFUSED.fetch_add(1, Ordering::SeqCst);
    }
    refuses
}

/// Whether `HeapCompact` must report that nothing is free. Counts such a call as met by
/// the fault.
#[cfg_attr(not(windows), allow(dead_code))]
fn nothing_is_free() -> bool {
    let is_so = WHICH.load(Ordering::SeqCst) == NOTHING_FREE;
    if is_so {
        SEEN.fetch_add(1, Ordering::SeqCst);
        REFUSED.fetch_add(1, Ordering::SeqCst);
    }
    is_so
}

/// Takes the latest refusal from the count: the caller cannot see that the call failed.
#[cfg_attr(not(windows), allow(dead_code))]
fn was_no_refusal() {
    REFUSED.fetch_sub(1, Ordering::SeqCst);
}

/// An installed fault.
#[derive(Debug)]
pub struct Fault(());

impl Fault {
    /// Intercepts the calls of a loaded library that release memory. `module` is the
    /// address where Windows loaded it; other systems do not use it.
    ///
    /// # Errors
    /// The reason why calls cannot be intercepted here.
    pub fn install(module: *const u8) -> Result<Fault, String> {
        #[cfg(all(
            target_os = "linux",
            any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64")
        ))]
        let installed = seccomp::install();
        #[cfg(windows)]
        let installed = imports::install(module);
        #[cfg(not(any(
            all(
                target_os = "linux",
                any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64")
            ),
            windows
        )))]
        let installed: Result<(), String> = Err("there is no way to do so on this system".into());
        let _ = module;
        installed.map(|()| Fault(()))
    }

    /// Intercepts the calls of this process that request memory, too.
    ///
    /// # Errors
    /// The reason why calls cannot be intercepted here.
    pub fn intercept_requests(&self) -> Result<(), String> {
        #[cfg(all(
            target_os = "linux",
            any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64")
        ))]
        return seccomp::intercept_requests();
        #[cfg(not(all(
            target_os = "linux",
            any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64")
        )))]
        Err("requests for memory are refused on Linux only".into())
    }

    /// Sets the plan for the next calls, and resets the counts.
    pub fn plan(&self, plan: Plan) {
        WHICH.store(OFF, Ordering::SeqCst);
        SEEN.store(0, Ordering::SeqCst);
        REFUSED.store(0, Ordering::SeqCst);
        let (which, how) = match plan {
            Plan::Off => (OFF, 0),
            Plan::Refuse(refusal) => (ALL_REFUSED, refusal as u8),
            Plan::RefuseNth(refusal, number) => (number, refusal as u8),
            Plan::Succeed => (NONE_REFUSED, 0),
            Plan::NothingFree => (NOTHING_FREE, 0),
            Plan::NoMemory => (NO_MEMORY, 0),
        };
        HOW.store(how, Ordering::SeqCst);
        WHICH.store(which, Ordering::SeqCst);
    }

    /// The number of calls that the plan counts since it was set.
    pub fn seen(&self) -> u32 {
        SEEN.load(Ordering::SeqCst)
    }

    /// The number of calls that were refused since the plan was set.
    pub fn refused(&self) -> u32 {
        REFUSED.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answers to four calls as letters, the calls seen, and the calls refused.
    fn under(plan: Plan) -> (String, u32, u32) {
        let fault = Fault(());
        fault.plan(plan);
        let letter = |_| match answer() {
            Answer::PassThrough => 'p',
            Answer::Succeed => 's',
            Answer::Refuse(_) => 'r',
        };
        let answers = (0..4).map(letter).collect();
        (answers, fault.seen(), fault.refused())
    }

    // One test: the plan is that of the whole process.
    #[test]
    fn calls_are_refused_as_planned_and_counted() {
        let how = Refusal::ALL[0];
        assert_eq!(under(Plan::Off), ("pppp".into(), 0, 0));
        assert_eq!(under(Plan::Succeed), ("ssss".into(), 4, 0));
        assert_eq!(under(Plan::Refuse(how)), ("rrrr".into(), 4, 4));
        assert_eq!(under(Plan::RefuseNth(how, 3)), ("ssrs".into(), 4, 1));
        assert_eq!(under(Plan::Off), ("pppp".into(), 0, 0));
        assert_eq!(under(Plan::NothingFree), ("ssss".into(), 4, 0));
        assert!(nothing_is_free() && !refuses_memory());
        assert_eq!(Fault(()).refused(), 1);
        assert_eq!(under(Plan::NoMemory), ("pppp".into(), 0, 0));
        assert!(refuses_memory() && !nothing_is_free());
        assert_eq!(Fault(()).refused(), 1);
        Fault(()).plan(Plan::Off);
        assert!(!refuses_memory() && !nothing_is_free());
        for refusal in Refusal::ALL {
            Fault(()).plan(Plan::Refuse(refusal));
            assert!(matches!(answer(), Answer::Refuse(way) if way == refusal));
        }
        Fault(()).plan(Plan::Off);
    }
}
