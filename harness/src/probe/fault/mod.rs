//! Makes the system refuse to take memory back, without a hook in the candidate.
//!
//! There are two doors. On Linux a seccomp filter sends the system calls that
//! release memory to a handler of ours. On Windows the candidate's imports of
//! the routines that release memory are replaced by ours. Either asks here
//! what to do, and counts: whether a fault was ever reached is observed.

#[cfg(all(windows, target_pointer_width = "64"))]
mod imports;
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod seccomp;

use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

/// How the system refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum Refusal {
    /// It does not have the call: last error 120 as Windows 98 had it, `ENOSYS`.
    Unsupported = 1,
    /// Last error 5, `EPERM`.
    AccessDenied = 2,
    /// Last error 8, `ENOMEM`.
    NoMemory = 3,
    /// Last error 87, `EINVAL`.
    InvalidParameter = 4,
    /// It fails and sets no last error, so that one from earlier is found.
    /// Linux has no such thing.
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
    /// It does what it does.
    Off,
    /// It refuses every one.
    Refuse(Refusal),
    /// It refuses the call of this number, counted from 1, and no other.
    RefuseNth(Refusal, u32),
    /// It says yes. Where Wine has only a stub that fails, this is a yes in
    /// its place; everywhere else it is as `Off`, but counted.
    Succeed,
}

/// No plan: nothing is refused or counted.
const OFF: u32 = 0;
/// Every call is let through and counted.
const NONE_REFUSED: u32 = u32::MAX;
/// Every call is refused.
const ALL_REFUSED: u32 = u32::MAX - 1;

/// Which call is refused, as a number from 1, or one of the constants above.
static WHICH: AtomicU32 = AtomicU32::new(OFF);
static HOW: AtomicU8 = AtomicU8::new(0);
static SEEN: AtomicU32 = AtomicU32::new(0);
static REFUSED: AtomicU32 = AtomicU32::new(0);

/// What a door does with a call.
enum Answer {
    /// Nobody asked for anything special.
    PassThrough,
    /// Success is wanted.
    Succeed,
    /// It fails in this way.
    Refuse(Refusal),
}

/// Counts a call that releases memory and says what to do with it.
fn answer() -> Answer {
    let which = WHICH.load(Ordering::SeqCst);
    if which == OFF {
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

/// The doors, open.
#[derive(Debug)]
pub struct Fault(());

impl Fault {
    /// Opens the doors to a loaded library. `module` is where Windows loaded
    /// it; elsewhere it is not used.
    ///
    /// # Errors
    /// Why the system cannot be made to refuse here.
    pub fn install(module: *const u8) -> Result<Fault, String> {
        #[cfg(all(
            target_os = "linux",
            any(target_arch = "x86_64", target_arch = "aarch64")
        ))]
        let installed = seccomp::install();
        #[cfg(all(windows, target_pointer_width = "64"))]
        let installed = imports::install(module);
        #[cfg(not(any(
            all(
                target_os = "linux",
                any(target_arch = "x86_64", target_arch = "aarch64")
            ),
            all(windows, target_pointer_width = "64")
        )))]
        let installed: Result<(), String> = Err("there is no way to do so on this system".into());
        let _ = module;
        installed.map(|()| Fault(()))
    }

    /// Sets what is done from now on, and starts counting anew.
    pub fn plan(&self, plan: Plan) {
        WHICH.store(OFF, Ordering::SeqCst);
        SEEN.store(0, Ordering::SeqCst);
        REFUSED.store(0, Ordering::SeqCst);
        let (which, how) = match plan {
            Plan::Off => (OFF, 0),
            Plan::Refuse(refusal) => (ALL_REFUSED, refusal as u8),
            Plan::RefuseNth(refusal, number) => (number, refusal as u8),
            Plan::Succeed => (NONE_REFUSED, 0),
        };
        HOW.store(how, Ordering::SeqCst);
        WHICH.store(which, Ordering::SeqCst);
    }

    /// How many calls that release memory came since the plan was set.
    pub fn seen(&self) -> u32 {
        SEEN.load(Ordering::SeqCst)
    }

    /// How many of them were refused.
    pub fn refused(&self) -> u32 {
        REFUSED.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What happens to four calls in a row, and what was counted.
    fn under(plan: Plan) -> (String, u32, u32) {
        let fault = Fault(());
        fault.plan(plan);
        let told = |_| match answer() {
            Answer::PassThrough => 'p',
            Answer::Succeed => 's',
            Answer::Refuse(_) => 'r',
        };
        let answers = (0..4).map(told).collect();
        (answers, fault.seen(), fault.refused())
    }

    // One test: the doors are those of the whole process.
    #[test]
    fn calls_are_refused_as_planned_and_counted() {
        let how = Refusal::ALL[0];
        assert_eq!(under(Plan::Off), ("pppp".into(), 0, 0));
        assert_eq!(under(Plan::Succeed), ("ssss".into(), 4, 0));
        assert_eq!(under(Plan::Refuse(how)), ("rrrr".into(), 4, 4));
        assert_eq!(under(Plan::RefuseNth(how, 3)), ("ssrs".into(), 4, 1));
        assert_eq!(under(Plan::Off), ("pppp".into(), 0, 0));
        for refusal in Refusal::ALL {
            Fault(()).plan(Plan::Refuse(refusal));
            assert!(matches!(answer(), Answer::Refuse(way) if way == refusal));
        }
        Fault(()).plan(Plan::Off);
    }
}
