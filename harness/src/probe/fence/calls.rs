//! A seccomp filter against system calls with which a candidate could reach other
//! processes or the network. These calls fail with `EPERM`.

use crate::probe::filter::{self, Rules};
use libc::c_long;
use seccompiler::{SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompRule};

/// The system calls that are refused with any arguments.
const REFUSED: [c_long; 11] = [
    libc::SYS_socket,
    // It can create sockets and files too.
    libc::SYS_io_uring_setup,
    libc::SYS_setsid,
    libc::SYS_setpgid,
    libc::SYS_ptrace,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_unshare,
    libc::SYS_setns,
];

/// The system calls that are refused if their first argument is another process. Not
/// `tkill`: it names a thread, and musl's `pthread_kill` uses it.
const ABOUT_A_PROCESS: [c_long; 4] = [
    libc::SYS_kill,
    libc::SYS_tgkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
];

/// Installs the filters for every thread of this process. Without `may_fork`, calls that
/// start a process fail, while calls that start a thread succeed.
pub(super) fn restrict(may_fork: bool) -> Result<(), String> {
    let mut rules: Rules = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    // The candidate must not cancel that the probe ends with its parent.
    let death_signal = [equal(0, libc::PR_SET_PDEATHSIG as u64)?];
    rules.insert(libc::SYS_prctl, vec![rule(death_signal)?]);
    // 32-bit x86 has one call for all that concerns sockets; the first argument says what.
    #[cfg(target_arch = "x86")]
    rules.insert(libc::SYS_socketcall, vec![rule([equal(0, 1)?])?]);
    let own = u64::from(std::process::id());
    // A process may set its own limits; 0 means the caller.
    rules.insert(
        libc::SYS_prlimit64,
        vec![rule([differs(0, own)?, differs(0, 0)?])?],
    );
    if !may_fork {
        for call in ABOUT_A_PROCESS {
            rules.insert(call, vec![rule([differs(0, own)?])?]);
        }
        #[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
        for call in [libc::SYS_fork, libc::SYS_vfork] {
            rules.insert(call, Vec::new());
        }
        // A thread is started with CLONE_THREAD, a process without.
        let no_thread = SeccompCmpOp::MaskedEq(libc::CLONE_THREAD as u64);
        rules.insert(libc::SYS_clone, vec![rule([condition(0, no_thread, 0)?])?]);
        // The flags of clone3 are in memory, which a filter cannot read. After ENOSYS the
        // C library uses `clone`.
        let rules = Rules::from([(libc::SYS_clone3, Vec::new())]);
        apply(rules, libc::ENOSYS)?;
    }
    apply(rules, libc::EPERM)
}

fn apply(rules: Rules, errno: i32) -> Result<(), String> {
    filter::apply(rules, SeccompAction::Errno(errno as u32))
}

fn rule<const N: usize>(conditions: [SeccompCondition; N]) -> Result<SeccompRule, String> {
    SeccompRule::new(conditions.into()).map_err(|error| error.to_string())
}

fn equal(argument: u8, value: u64) -> Result<SeccompCondition, String> {
    condition(argument, SeccompCmpOp::Eq, value)
}

fn differs(argument: u8, value: u64) -> Result<SeccompCondition, String> {
    condition(argument, SeccompCmpOp::Ne, value)
}

/// A condition on the lower 32 bits of an argument: process numbers, options and flags
/// have no more.
fn condition(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompCondition, String> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
        .map_err(|error| error.to_string())
}
