//! The clauses, one folder or file for each routine, in the order of the specification.

mod aligned;
mod calloc;
mod errno;
mod expand;
mod exported;
mod free;
mod get_heap_handle;
mod heapadd;
mod heapchk;
pub mod heapmin;
mod heapset;
mod heapwalk;
mod invalid_parameter;
mod malloc;
mod msize;
mod realloc;
mod recalloc;
mod sizes;
mod workload;

use crate::clause::{Case, Clause};
use heapmin_harness::probe::Act;

/// Every clause.
pub fn all() -> impl Iterator<Item = &'static Clause> {
    let routines: [&[&'static Clause]; 23] = [
        &heapmin::CLAUSES,
        &malloc::CLAUSES,
        &calloc::CLAUSES,
        &realloc::CLAUSES,
        &free::CLAUSES,
        &msize::CLAUSES,
        &expand::CLAUSES,
        &recalloc::CLAUSES,
        &aligned::malloc::CLAUSES,
        &aligned::offset_malloc::CLAUSES,
        &aligned::realloc::CLAUSES,
        &aligned::offset_realloc::CLAUSES,
        &aligned::recalloc::CLAUSES,
        &aligned::offset_recalloc::CLAUSES,
        &aligned::msize::CLAUSES,
        &aligned::free::CLAUSES,
        &heapchk::CLAUSES,
        &heapwalk::CLAUSES,
        &heapset::CLAUSES,
        &heapadd::CLAUSES,
        &get_heap_handle::CLAUSES,
        &errno::CLAUSES,
        &invalid_parameter::CLAUSES,
    ];
    routines.into_iter().flatten().copied()
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
    cases()
        .iter()
        .find(|case| case.name == name)
        .map(|case| case.act)
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
