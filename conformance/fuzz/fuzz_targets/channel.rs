//! Reads bytes as the output of a probe, with a token that the candidate knows,
//! and as the job that a probe reads.
#![no_main]

use heapmin_harness::wire::channel::{decode, encode, events};
use heapmin_harness::wire::job::Job;
use heapmin_harness::wire::step::Step;
use libfuzzer_sys::fuzz_target;

const TOKEN: &str = "seed";

fuzz_target!(|bytes: &[u8]| {
    for event in events(bytes, TOKEN) {
        let line = encode(TOKEN, &event);
        assert_eq!(decode(TOKEN, line.trim().as_bytes()), Some(event));
    }
    if let Ok(job) = serde_json::from_slice::<Job>(bytes) {
        let again = serde_json::to_string(&job).expect("a job is plain data");
        assert!(serde_json::from_str::<Job>(&again).is_ok());
        let script = job.script.unwrap_or_default();
        let _ = script
            .lines()
            .map(str::parse)
            .collect::<Result<Vec<Step>, _>>();
    }
});
