//! Reads text as each kind of settings file: a profile, a list of deviations that
//! profiles share, and an `--expected` file.
#![no_main]

use heapmin_conformance::expected::known::{Expected, parse_known};
use heapmin_conformance::expected::names;
use heapmin_conformance::expected::place::Place;
use heapmin_conformance::expected::profiles::known_deviations;
use heapmin_harness::library::profile::Profile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(profile) = Profile::parse("p", text) {
        let _ = known_deviations(&profile);
    }
    if let Ok(known) = parse_known("l.toml", text) {
        for entry in &known {
            is_in(&entry.place, text);
        }
        let _ = names::check_known(&known);
    }
    if let Ok(expected) = Expected::parse("e.toml", text) {
        for place in expected.known.iter().map(|it| &it.place) {
            is_in(place, text);
        }
        for place in expected.judged.iter().map(|it| &it.place) {
            is_in(place, text);
        }
        let _ = names::check(&expected);
    }
});

/// Panics if a place is not in the text; `--update` relies on places.
fn is_in(place: &Place, text: &str) {
    assert!(text.get(place.entry.clone()).is_some(), "{place:?}");
    let (first, last) = place.lines;
    assert!(1 <= first && first <= last && last <= 1 + text.lines().count());
    if let Some(name) = &place.in_list {
        assert!(text.get(name.clone()).is_some(), "{place:?}");
        assert!(first <= place.line && place.line <= last, "{place:?}");
    }
}
