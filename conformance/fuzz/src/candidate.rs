//! Candidates for judges. No target loads them.

use arbitrary::{Result, Unstructured};
use heapmin_harness::library::identity::Identity;
use heapmin_harness::library::inspect::{Format, Library, Maker};
use heapmin_harness::library::routines::ROUTINES;
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::parent::runner::{Runner, Starter};
use heapmin_harness::parent::target::Target;
use std::path::Path;

/// A candidate that exports some of the routines.
pub fn candidate(u: &mut Unstructured) -> Result<Candidate> {
    let most: bool = u.ratio(7, 8)?;
    let mut exports = Vec::new();
    for routine in ROUTINES {
        // The numbering of `errno` depends on whether `_errno` is there.
        let is_there = match (most, *routine) {
            (true, "_errno") => u.arbitrary()?,
            (true, _) => true,
            (false, _) => u.arbitrary()?,
        };
        if is_there {
            exports.push((*routine).to_owned());
        }
    }
    Ok(exporting(exports))
}

/// A candidate that exports every routine except those whose bits in `missing` are
/// set.
pub fn without(missing: u64) -> Candidate {
    let routines = ROUTINES.iter().enumerate();
    let exports = routines.filter(|(index, _)| missing >> (index % 64) & 1 == 0);
    exporting(exports.map(|(_, name)| (*name).to_owned()).collect())
}

fn exporting(exports: Vec<String>) -> Candidate {
    Candidate::of_file(
        "candidate.so".into(),
        "/candidate.so".into(),
        Library {
            format: Format::Elf,
            arch: "x86_64".into(),
            exports,
            forwarded: Vec::new(),
            version: None,
            original_name: None,
            maker: Maker::Other,
            own_calls: Vec::new(),
            needs: Vec::new(),
        },
        Identity::of(Path::new("/")).expect("there is a root"),
        Runner {
            starter: Starter::System,
            wine_version: None,
            target: Target::native(),
            program: "/heapmin".into(),
            is_fenced: false,
            memory: None,
            sees_memory: true,
            frees_threads: true,
        },
    )
}
