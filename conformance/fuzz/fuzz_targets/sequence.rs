//! Reads text as a file with a sequence of calls, and writes it again.
#![no_main]

use heapmin_conformance::fuzz::Found;
use heapmin_conformance::fuzz::compare::{Finding, Whose};
use heapmin_conformance::fuzz::file;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(steps) = file::parse("f.txt", text) else {
        return;
    };
    let found = Found {
        steps,
        finding: Finding {
            index: 0,
            whose: Whose::Either,
            kind: "result",
            what: String::new(),
        },
    };
    let written = file::text(&found, &["about".into()]);
    let again = file::parse("f.txt", &written);
    assert_eq!(again.as_ref(), Ok(&found.steps));
});
