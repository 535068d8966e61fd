//! The clauses, one folder or file for each routine, in the order of reports.

mod aligned;
mod calloc;
pub(crate) mod codes;
mod combinations;
mod errno;
mod expand;
pub(crate) mod exported;
mod free;
mod get_heap_handle;
mod handed_out;
mod heapadd;
mod heapchk;
mod heapmin;
mod heapset;
mod heapwalk;
mod histories;
mod invalid_parameter;
pub(crate) mod limits;
mod malloc;
mod msize;
mod new_handler;
pub(crate) mod origins;
pub(crate) mod pages;
mod process;
mod realloc;
mod recalloc;
mod refusal;
mod sizes;
mod workload;

use crate::clause::{Case, Clause};
use heapmin_harness::probe::Act;

/// The lists of clauses, in the order of reports.
static LISTS: &[&[Clause]] = &[
    heapmin::CLAUSES,
    heapmin::success::CLAUSES,
    heapmin::failure::CLAUSES,
    heapmin::faults::CLAUSES,
    heapmin::memory_limit::CLAUSES,
    heapmin::release::CLAUSES,
    heapmin::coalesces::CLAUSES,
    heapmin::reuse::CLAUSES,
    heapmin::live_blocks::CLAUSES,
    heapmin::empty_heap::CLAUSES,
    heapmin::heap_consistent::CLAUSES,
    heapmin::errno_per_thread::CLAUSES,
    heapmin::concurrent::CLAUSES,
    heapmin::alias::CLAUSES,
    malloc::CLAUSES,
    malloc::edges::CLAUSES,
    malloc::large::CLAUSES,
    malloc::threads::CLAUSES,
    malloc::fork::CLAUSES,
    refusal::release::MALLOC,
    refusal::memory::MALLOC,
    calloc::CLAUSES,
    refusal::release::CALLOC,
    refusal::memory::CALLOC,
    realloc::CLAUSES,
    refusal::release::REALLOC,
    refusal::memory::REALLOC,
    refusal::shrink::OF_REALLOC,
    free::CLAUSES,
    refusal::release::FREE,
    refusal::memory::FREE,
    msize::CLAUSES,
    expand::CLAUSES,
    recalloc::CLAUSES,
    refusal::release::RECALLOC,
    refusal::memory::RECALLOC,
    refusal::shrink::OF_RECALLOC,
    aligned::malloc::CLAUSES,
    refusal::release::ALIGNED_MALLOC,
    refusal::memory::ALIGNED_MALLOC,
    aligned::offset_malloc::CLAUSES,
    refusal::release::ALIGNED_OFFSET_MALLOC,
    refusal::memory::ALIGNED_OFFSET_MALLOC,
    aligned::realloc::CLAUSES,
    refusal::release::ALIGNED_REALLOC,
    refusal::memory::ALIGNED_REALLOC,
    aligned::offset_realloc::CLAUSES,
    refusal::release::ALIGNED_OFFSET_REALLOC,
    refusal::memory::ALIGNED_OFFSET_REALLOC,
    aligned::recalloc::CLAUSES,
    refusal::release::ALIGNED_RECALLOC,
    refusal::memory::ALIGNED_RECALLOC,
    aligned::offset_recalloc::CLAUSES,
    refusal::release::ALIGNED_OFFSET_RECALLOC,
    refusal::memory::ALIGNED_OFFSET_RECALLOC,
    aligned::msize::CLAUSES,
    aligned::free::CLAUSES,
    refusal::release::ALIGNED_FREE,
    refusal::memory::ALIGNED_FREE,
    heapchk::CLAUSES,
    heapchk::damage::CLAUSES,
    heapwalk::CLAUSES,
    heapset::CLAUSES,
    heapadd::CLAUSES,
    get_heap_handle::CLAUSES,
    combinations::CLAUSES,
    handed_out::CLAUSES,
    new_handler::CLAUSES,
    errno::CLAUSES,
    invalid_parameter::CLAUSES,
    process::fork::CLAUSES,
    process::cancel::CLAUSES,
    process::limits::CLAUSES,
    process::locked::CLAUSES,
    process::reload::CLAUSES,
    process::signals::CLAUSES,
    process::threads::CLAUSES,
    process::errno::CLAUSES,
    process::names::CLAUSES,
    process::posix::CLAUSES,
    process::overcommit::CLAUSES,
];

/// Every clause.
pub fn all() -> impl Iterator<Item = &'static Clause> {
    LISTS.iter().copied().flatten()
}

/// Every case, each once, in the order in which clauses name them.
pub fn cases() -> Vec<&'static Case> {
    distinct(all().flat_map(|clause| clause.cases.iter().copied()))
}

/// The same cases, each once.
pub fn distinct(many: impl Iterator<Item = &'static Case>) -> Vec<&'static Case> {
    let mut cases: Vec<&'static Case> = Vec::new();
    for case in many {
        if !cases.iter().any(|known| known.name == case.name) {
            cases.push(case);
        }
    }
    cases
}

/// What the case of this name does.
pub fn act_of(name: &str) -> Option<Act> {
    let mut cases = all().flat_map(|clause| clause.cases);
    cases.find(|case| case.name == name).map(|case| case.act)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_clause_has_a_name_of_its_own_and_a_case() {
        let mut ids = HashSet::new();
        for clause in all() {
            assert!(ids.insert(clause.id), "{} twice", clause.id);
            assert!(!clause.cases.is_empty(), "{} has no case", clause.id);
        }
    }

    #[test]
    fn every_case_has_a_name_of_its_own() {
        let cases = all().flat_map(|clause| clause.cases);
        for case in cases {
            let known = act_of(case.name).unwrap();
            assert!(std::ptr::fn_addr_eq(known, case.act), "{} twice", case.name);
        }
    }
}
