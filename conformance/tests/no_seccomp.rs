//! If the kernel or a container forbids seccomp, faults cannot be injected. The
//! clauses then are unsupported and do not pass.
#![cfg(target_os = "linux")]

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};
use serde_json::Value;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// A filter that forbids further filters.
fn no_more_filters() -> BpfProgram {
    let set_seccomp = libc::PR_SET_SECCOMP as u64;
    let is_set = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, set_seccomp);
    let prctl = SeccompRule::new(vec![is_set.unwrap()]).unwrap();
    let rules = [(libc::SYS_seccomp, vec![]), (libc::SYS_prctl, vec![prctl])];
    let refuse = SeccompAction::Errno(libc::EPERM as u32);
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(
        rules.into_iter().collect(),
        SeccompAction::Allow,
        refuse,
        arch,
    );
    filter.unwrap().try_into().unwrap()
}

#[test]
fn fault_clauses_are_unsupported_with_a_reason_if_seccomp_is_forbidden() {
    let filter = no_more_filters();
    let mut command = Command::new(env!("CARGO_BIN_EXE_heapmin"));
    command.args(["check", "--fault", "unsupported", "--format", "json"]);
    // SAFETY: between fork and exec, the closure only makes system calls.
    unsafe {
        command.pre_exec(move || {
            seccompiler::apply_filter(&filter).map_err(|_| std::io::ErrorKind::Other.into())
        })
    };
    let output = command.output().expect("the program starts");
    let report: Value = serde_json::from_slice(&output.stdout).expect("the report is JSON");
    let results = report["candidates"][0]["results"].as_array().unwrap();
    assert!(!results.is_empty());
    for result in results {
        assert_eq!(result["verdict"], "unsupported", "{result}");
        let observed = result["observed"].as_str().unwrap();
        assert!(
            observed.contains("seccomp is not available here"),
            "{observed}"
        );
    }
}
