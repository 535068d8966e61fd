//! Refuses advice about memory.

use crate::probe::Stop;
use seccompiler::{BackendError, BpfProgram, SeccompAction, SeccompFilter};

/// From here on, each `madvise` of this process fails with `EINVAL`, as a kernel refuses
/// advice that it does not know.
///
/// # Errors
/// [`Stop::NotJudged`] if the system has no such filter.
pub fn refuse_advice() -> Result<(), Stop> {
    let not_here = |why| Stop::NotJudged(format!("madvise cannot be refused: {why}"));
    let refuse = SeccompAction::Errno(libc::EINVAL as u32);
    let rules = [(libc::SYS_madvise, Vec::new())].into();
    let arch = std::env::consts::ARCH.try_into();
    let program: BpfProgram = arch
        .and_then(|arch| SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch))
        .and_then(TryInto::try_into)
        .map_err(|error: BackendError| not_here(error.to_string()))?;
    seccompiler::apply_filter_all_threads(&program).map_err(|error| not_here(error.to_string()))
}
