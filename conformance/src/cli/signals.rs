//! Handles signals such as Ctrl-C: the run ends early and reports what it has.

use heapmin_harness::parent::interruption;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether Ctrl-C is for a debugger in the same terminal.
static IS_FOR_A_TOOL: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C and Ctrl-\ do nothing here: the terminal sends them to a debugger, too,
/// which stops its program then.
pub(super) fn leave_to_a_tool() {
    IS_FOR_A_TOOL.store(true, Ordering::Relaxed);
}

/// Makes a first signal end the run in good order, and a second one end the
/// process at once.
#[cfg(unix)]
pub(super) fn end_in_good_order() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, TERM_SIGNALS};
    use signal_hook::iterator::Signals;
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
            let is_for_a_tool = IS_FOR_A_TOOL.load(Ordering::Relaxed);
            if is_for_a_tool && matches!(signal, SIGINT | SIGQUIT) {
                continue;
            }
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
