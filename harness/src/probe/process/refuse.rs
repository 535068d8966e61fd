//! Refuses advice about memory.

use crate::probe::{Stop, filter};
use seccompiler::SeccompAction;

/// From here on, each `madvise` of this process fails with `EINVAL`, as a kernel refuses
/// advice that it does not know.
///
/// # Errors
/// [`Stop::NotJudged`] if the system has no such filter.
pub fn refuse_advice() -> Result<(), Stop> {
    let not_here = |why| Stop::NotJudged(format!("madvise cannot be refused: {why}"));
    let refuse = SeccompAction::Errno(libc::EINVAL as u32);
    let rules = [(libc::SYS_madvise, Vec::new())].into();
    filter::apply(rules, refuse).map_err(not_here)
}
