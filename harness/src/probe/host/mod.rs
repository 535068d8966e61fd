//! What the probe asks of its own system: streams, last error, crashes, the end.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::*;
#[cfg(windows)]
pub use windows::*;

/// What became of a child process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Child {
    /// It ended with this status.
    Exited(i32),
    /// A signal ended it.
    Killed(i32),
    /// It did not end in time, and was killed.
    Hung,
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_process_itself_has_no_second_view() {
        assert_eq!(own_memory(), None);
    }
}
