//! Handles signals such as Ctrl-C: the run ends early and reports what it has.

use heapmin_harness::parent::interruption;

/// Makes a first signal end the run in good order, and a second one end the
/// process at once.
#[cfg(unix)]
pub(super) fn end_in_good_order() {
    use signal_hook::consts::{SIGHUP, TERM_SIGNALS};
    use signal_hook::iterator::Signals;
    use std::sync::atomic::Ordering;
    use std::time::{Duration, Instant};

    /// Programs such as `timeout` send a signal to the process and to its group,
    /// so it arrives twice. Signals within this time count as one.
    const SAME: Duration = Duration::from_secs(1);

    // Without handlers, signals end the process as usual.
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

/// The same on other systems, with a flag only: a second signal has no effect.
#[cfg(not(unix))]
pub(super) fn end_in_good_order() {
    use signal_hook::consts::TERM_SIGNALS;
    for &signal in TERM_SIGNALS {
        // Without a handler, the signal ends the process as usual.
        let flag = interruption::signal();
        let _ = signal_hook::flag::register_usize(signal, flag, signal as usize);
    }
}

/// The exit status of an interrupted run, as in shells: 130 for Ctrl-C. `None` if
/// no signal arrived.
pub(super) fn interrupted() -> Option<u8> {
    let signal = interruption::by()?.try_into().ok()?;
    u8::try_from(status(signal)).ok()
}

fn status(signal: i32) -> i32 {
    128 + signal
}
