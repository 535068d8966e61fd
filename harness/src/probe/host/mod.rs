//! What the probe needs from its system: streams, last error, crashes, the end. Each
//! system's file has the same routines.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::*;
#[cfg(windows)]
pub use windows::*;

/// How a child process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Child {
    /// It exited with this status.
    Exited(i32),
    /// This signal killed it.
    Killed(i32),
    /// It did not end in time and was killed.
    Hung,
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn unix_measures_no_memory_from_inside() {
        assert_eq!(own_memory(), None);
    }
}
