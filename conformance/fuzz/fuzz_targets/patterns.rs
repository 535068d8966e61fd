//! Reads lines as patterns of clauses: a line after `-` is a `--skip` pattern, any
//! other an `--only` pattern. The first is also read as the id of a clause.
#![no_main]

use heapmin_conformance::select::{clause, select};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (skip, only): (Vec<_>, Vec<_>) = text.lines().partition(|line| line.starts_with('-'));
    let skip: Vec<_> = skip.iter().map(|line| line[1..].to_owned()).collect();
    let only: Vec<_> = only.into_iter().map(str::to_owned).collect();
    if let Ok(clauses) = select(&only, &skip) {
        assert!(!clauses.is_empty());
    }
    if let Some(first) = only.first() {
        let _ = clause(first);
    }
});
