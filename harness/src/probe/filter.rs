//! Makes filters of system calls. The library that writes them knows no 32-bit x86; its
//! filters for 64 bits differ only in the number of the processor that they compare.

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, SeccompRule, TargetArch};
use std::collections::BTreeMap;

/// The conditions under which a filter acts, by the number of the system call.
pub(super) type Rules = BTreeMap<libc::c_long, Vec<SeccompRule>>;

/// Puts a filter on every thread of this process: it does `action` with the calls that meet
/// a rule, and allows all others.
///
/// # Errors
/// The reason why this is not possible here.
#[allow(
    clippy::unnecessary_cast,
    reason = "the type has 32 bits on 32-bit systems"
)]
pub(super) fn apply(rules: Rules, action: SeccompAction) -> Result<(), String> {
    let arch = match std::env::consts::ARCH {
        "x86" => Ok(TargetArch::x86_64),
        arch => arch.try_into(),
    };
    // The keys are 64 bits wide everywhere.
    let rules = rules.into_iter().map(|(call, rules)| (call as i64, rules));
    let program: Result<BpfProgram, _> = arch
        .and_then(|arch| SeccompFilter::new(rules.collect(), SeccompAction::Allow, action, arch))
        .and_then(TryInto::try_into);
    let mut program = program.map_err(|error| error.to_string())?;
    if cfg!(target_arch = "x86") {
        for_32_bits(&mut program)?;
    }
    seccompiler::apply_filter_all_threads(&program).map_err(|error| error.to_string())
}

/// Makes a filter for x86-64 one for 32-bit x86. All conditions compare arguments, which are
/// 64 bits wide in a filter's view of both.
fn for_32_bits(program: &mut BpfProgram) -> Result<(), String> {
    const X86_64: u32 = 0xC000_003E;
    const X86: u32 = 0x4000_0003;
    // The filter begins with this comparison.
    let mut head = program.iter_mut().take(3);
    let comparison = head.find(|instruction| instruction.k == X86_64);
    let comparison = comparison.ok_or("the filter does not compare the processor")?;
    comparison.k = X86;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_for_32_bits_compares_another_processor_and_nothing_else_changes() {
        let filter = || {
            let refuse = SeccompAction::Errno(1);
            let rules = BTreeMap::from([(7, Vec::new())]);
            SeccompFilter::new(rules, SeccompAction::Allow, refuse, TargetArch::x86_64).unwrap()
        };
        let wide: BpfProgram = filter().try_into().unwrap();
        let mut narrow = wide.clone();
        for_32_bits(&mut narrow).unwrap();
        let pairs = wide.iter().zip(&narrow);
        let changed: Vec<_> = pairs.filter(|(a, b)| a != b).map(|(_, b)| b.k).collect();
        assert_eq!(changed, [0x4000_0003]);
        assert!(for_32_bits(&mut narrow).is_err());
    }
}
