//! A seccomp filter: system calls with which a candidate would reach other
//! processes, or the network. They fail with `EPERM`.

use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};
use std::collections::BTreeMap;

/// Refused whatever their arguments.
const REFUSED: [c_long; 11] = [
    libc::SYS_socket,
    // Makes sockets and files as well.
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

/// Refused if the first argument is another process than this one.
/// Not `tkill`, which names a thread, and of which musl's `pthread_kill` is made.
const ABOUT_A_PROCESS: [c_long; 4] = [
    libc::SYS_kill,
    libc::SYS_tgkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
];

type Rules = BTreeMap<c_long, Vec<SeccompRule>>;

/// Puts the filters on every thread of this process. Without `may_fork`, a
/// call that would make a child process fails, and one that makes a thread
/// does not.
pub(super) fn restrict(may_fork: bool) -> Result<(), String> {
    let mut rules: Rules = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    // The probe is to end with the harness.
    let death_signal = [equal(0, libc::PR_SET_PDEATHSIG as u64)?];
    rules.insert(libc::SYS_prctl, vec![rule(death_signal)?]);
    let own = u64::from(std::process::id());
    // Its own limits may be lowered; 0 is the caller.
    rules.insert(
        libc::SYS_prlimit64,
        vec![rule([differs(0, own)?, differs(0, 0)?])?],
    );
    if !may_fork {
        for call in ABOUT_A_PROCESS {
            rules.insert(call, vec![rule([differs(0, own)?])?]);
        }
        #[cfg(target_arch = "x86_64")]
        for call in [libc::SYS_fork, libc::SYS_vfork] {
            rules.insert(call, Vec::new());
        }
        // A thread is made with CLONE_THREAD, a process without.
        let no_thread = SeccompCmpOp::MaskedEq(libc::CLONE_THREAD as u64);
        rules.insert(libc::SYS_clone, vec![rule([condition(0, no_thread, 0)?])?]);
        // Its flags are behind a pointer, which no filter can follow. The C
        // library then takes `clone`.
        let rules = Rules::from([(libc::SYS_clone3, Vec::new())]);
        apply(rules, libc::ENOSYS)?;
    }
    apply(rules, libc::EPERM)
}

fn apply(rules: Rules, errno: i32) -> Result<(), String> {
    let refuse = SeccompAction::Errno(errno as u32);
    let arch = std::env::consts::ARCH.try_into();
    let program: BpfProgram = arch
        .and_then(|arch| SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch))
        .and_then(TryInto::try_into)
        .map_err(|error: seccompiler::BackendError| error.to_string())?;
    seccompiler::apply_filter_all_threads(&program).map_err(|error| error.to_string())
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

/// Numbers of processes, options and flags have 32 bits.
fn condition(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompCondition, String> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
        .map_err(|error| error.to_string())
}
