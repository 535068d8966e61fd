//! Reads bytes as a library file.
#![no_main]

use heapmin_harness::library::inspect::recognise;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(library) = recognise(Path::new("candidate"), bytes) {
        assert!(library.exports.is_sorted());
        let total: usize = library.exports.iter().map(String::len).sum();
        // Each invalid byte becomes three bytes of UTF-8.
        assert!(total <= 3 * bytes.len());
    }
});
