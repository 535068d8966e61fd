//! Ctrl-C and the like: the run ends early, and tells what it knows so far.

use heapmin_harness::parent::interruption;

/// Lets a signal end the run in good order, and another one at once.
#[cfg(unix)]
pub fn end_in_good_order() {
    use signal_hook::consts::{SIGHUP, TERM_SIGNALS};
    use signal_hook::iterator::Signals;
    use std::sync::atomic::Ordering;
    use std::time::{Duration, Instant};

    /// Some send a signal to the process and to its group as well, so that it
    /// comes twice; nobody presses a key so fast.
    const SAME: Duration = Duration::from_secs(1);

    // Where signals cannot be had they end the process, as they always do.
    let Ok(mut signals) = Signals::new(TERM_SIGNALS.iter().chain([&SIGHUP])) else {
        return;
    };
    std::thread::spawn(move || {
        let mut first: Option<Instant> = None;
        for signal in &mut signals {
            match first {
                None => {
                    first = Some(Instant::now());
                    interruption::signal().store(signal as usize, Ordering::Relaxed);
                }
                Some(first) if first.elapsed() < SAME => {}
                Some(_) => std::process::exit(status(signal)),
            }
        }
    });
}

/// The same for Windows, which has no more than flags for it.
#[cfg(not(unix))]
pub fn end_in_good_order() {
    use signal_hook::consts::TERM_SIGNALS;
    for &signal in TERM_SIGNALS {
        // Where a signal cannot be had it ends the process, as it always does.
        let flag = interruption::signal();
        let _ = signal_hook::flag::register_usize(signal, flag, signal as usize);
    }
}

/// The exit status of a run that a signal ended, as shells have it: 130 for
/// Ctrl-C. `None` if none came.
pub fn interrupted() -> Option<u8> {
    let signal = interruption::by()?.try_into().ok()?;
    u8::try_from(status(signal)).ok()
}

fn status(signal: i32) -> i32 {
    128 + signal
}
