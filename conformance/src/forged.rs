//! For tests of what judges make of forged observations.

use heapmin_harness::candidate::Candidate;
use heapmin_harness::identity::Identity;
use heapmin_harness::inspect::{Format, Library, Maker};
use heapmin_harness::runner::Runner;
use std::path::Path;

/// A candidate that nobody loads.
pub fn candidate() -> Candidate {
    Candidate {
        name: "c".into(),
        path: "/c.so".into(),
        image: Library {
            format: Format::Elf,
            arch: "x86_64".into(),
            exports: Vec::new(),
            version: None,
            maker: Maker::Other,
        },
        profile: None,
        load_name: "/c.so".into(),
        identity: Identity::of(Path::new(".")).unwrap(),
        runner: Runner {
            front: None,
            program: "/heapmin".into(),
            is_fenced: false,
            memory: None,
        },
        environment: Vec::new(),
        stage: None,
    }
}
