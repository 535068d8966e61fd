//! A thread that does not end before the process.
//!
//! While a fault is installed, no thread may end on Linux: it blocks signals first, and the
//! fault's signal then kills the process.

use std::mem::transmute;
use std::sync::mpsc::{Sender, channel, sync_channel};
use std::thread::{Builder, park};

type Job = Box<dyn FnOnce() + Send>;

/// A thread that runs what it is given, and stays until the process ends.
pub struct LastingThread(Sender<Job>);

impl LastingThread {
    /// Starts the thread.
    ///
    /// # Errors
    /// The reason why the thread cannot be made.
    pub fn start() -> Result<LastingThread, String> {
        let (give, take) = channel::<Job>();
        let run = move || {
            take.into_iter().for_each(|job| job());
            loop {
                park();
            }
        };
        let thread = Builder::new().spawn(run);
        thread.map_err(|error| format!("no thread: {error}"))?;
        Ok(LastingThread(give))
    }

    /// Runs `act` on the thread and returns its result.
    ///
    /// # Errors
    /// If the thread panicked.
    pub fn run<T: Send>(&self, act: impl FnOnce() -> T + Send) -> Result<T, String> {
        let (give, take) = sync_channel(1);
        let job: Box<dyn FnOnce() + Send + '_> = Box::new(move || drop(give.send(act())));
        // SAFETY: `act` and its result are not used after the result is sent, and this
        // function waits for that, or for a panic, which drops them. So no borrow outlives
        // its owner.
        let job = unsafe { transmute::<Box<dyn FnOnce() + Send + '_>, Job>(job) };
        // If the thread has panicked, nothing is received.
        let _ = self.0.send(job);
        take.recv().map_err(|_| "a thread panicked".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lasting_thread_returns_results_and_may_borrow() {
        let text = String::from("here");
        let thread = LastingThread::start().unwrap();
        assert_eq!(thread.run(|| text.len()), Ok(4));
        let id = || std::thread::current().id();
        assert_eq!(thread.run(id), thread.run(id));
        assert_ne!(thread.run(id), Ok(id()));
        assert_eq!(text, "here");
    }
}
