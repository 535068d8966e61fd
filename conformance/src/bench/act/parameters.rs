//! Parameters of an act, which its probe reads from the environment.

/// The size of a fill, in MiB, if [`SIZE_VARIABLE`] is not set.
pub const MEBIBYTES: usize = 128;
/// The variable with the size, in MiB.
pub const SIZE_VARIABLE: &str = "HEAPMIN_BENCH_MIB";
/// The variable with the number of threads.
pub const THREADS_VARIABLE: &str = "HEAPMIN_BENCH_THREADS";
/// The variable with the path of a trace.
pub const TRACE_VARIABLE: &str = "HEAPMIN_BENCH_TRACE";

/// The number in this variable, or `default`.
pub fn number(variable: &str, default: usize) -> usize {
    let value = std::env::var(variable).ok();
    value
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}
