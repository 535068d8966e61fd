//! How a process ended, in words.

use std::process::ExitStatus;

pub(super) fn describe(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("killed by {}", signal_name(signal));
    }
    match status.code() {
        Some(code) => format!("the process exited with status {code} before the case was over"),
        None => format!("the process ended before the case was over ({status})"),
    }
}

#[cfg(unix)]
pub(super) fn signal_name(signal: i32) -> String {
    let name = match signal {
        libc::SIGABRT => "SIGABRT",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGILL => "SIGILL",
        libc::SIGKILL => "SIGKILL",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGSYS => "SIGSYS",
        libc::SIGTERM => "SIGTERM",
        libc::SIGTRAP => "SIGTRAP",
        libc::SIGXCPU => "SIGXCPU",
        libc::SIGXFSZ => "SIGXFSZ",
        _ => return format!("signal {signal}"),
    };
    format!("{name} ({signal})")
}

pub(super) fn exception_name(code: u32) -> &'static str {
    match code {
        0xC000_0005 => " (access violation)",
        0xC000_0374 => " (heap corruption)",
        0xC000_00FD => " (stack overflow)",
        0xC000_001D => " (illegal instruction)",
        _ => "",
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(libc::SIGABRT, "killed by SIGABRT (6)")]
    #[case(libc::SIGBUS, "killed by SIGBUS (7)")]
    #[case(libc::SIGFPE, "killed by SIGFPE (8)")]
    #[case(libc::SIGILL, "killed by SIGILL (4)")]
    #[case(libc::SIGKILL, "killed by SIGKILL (9)")]
    #[case(libc::SIGSEGV, "killed by SIGSEGV (11)")]
    #[case(libc::SIGSYS, "killed by SIGSYS (31)")]
    #[case(libc::SIGTERM, "killed by SIGTERM (15)")]
    #[case(libc::SIGTRAP, "killed by SIGTRAP (5)")]
    #[case(libc::SIGXCPU, "killed by SIGXCPU (24)")]
    #[case(libc::SIGXFSZ, "killed by SIGXFSZ (25)")]
    #[case(libc::SIGUSR1, "killed by signal 10")]
    #[cfg(target_os = "linux")]
    fn a_signal_is_described_by_its_name(#[case] signal: i32, #[case] words: &str) {
        use std::os::unix::process::ExitStatusExt;
        assert_eq!(describe(ExitStatus::from_raw(signal)), words);
    }

    #[test]
    fn an_early_exit_is_described_with_its_status() {
        use std::os::unix::process::ExitStatusExt;
        let words = "the process exited with status 3 before the case was over";
        assert_eq!(describe(ExitStatus::from_raw(3 << 8)), words);
    }

    #[rstest]
    #[case(0xC000_0005, " (access violation)")]
    #[case(0xC000_0374, " (heap corruption)")]
    #[case(0xC000_00FD, " (stack overflow)")]
    #[case(0xC000_001D, " (illegal instruction)")]
    #[case(0xC000_0006, "")]
    fn an_exception_is_described_by_its_name(#[case] code: u32, #[case] words: &str) {
        assert_eq!(exception_name(code), words);
    }
}
