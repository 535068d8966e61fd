//! What this machine must have: the words of HEAPMIN_REQUIRE, separated by commas.

/// Tools that `all` does not require.
const OPTIONAL: [&str; 2] = ["elvish", "valgrind"];

/// Whether HEAPMIN_REQUIRE has this word.
pub(crate) fn is_required(word: &str) -> bool {
    let required = std::env::var("HEAPMIN_REQUIRE").unwrap_or_default();
    required.split(',').any(|named| named == word)
}

/// Prints why a test is skipped, or fails if HEAPMIN_REQUIRE has the word `all`.
#[allow(dead_code)] // some tests only need the words
#[track_caller]
pub(crate) fn skip(why: &str) {
    assert!(!is_required("all"), "{why}");
    eprintln!("skipped: {why}");
}

/// Whether this machine has a tool. If not, the test is skipped or fails.
#[allow(dead_code)] // some tests look for other things than tools
#[track_caller]
pub(crate) fn has(tool: &str) -> bool {
    let is_there = which::which(tool).is_ok();
    if !is_there {
        let why = format!("{tool} is missing: install it");
        match OPTIONAL.contains(&tool) {
            true => eprintln!("skipped: {why}"),
            false => skip(&why),
        }
    }
    is_there
}
