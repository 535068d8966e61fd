//! What a refusal of bad input looks like.

use std::process::Output;

/// Checks that the status is 2 and that the message has these words.
#[track_caller]
pub(crate) fn is_refused(output: &Output, words: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    for word in words {
        assert!(text.contains(word), "no {word:?} in {text}");
    }
    assert!(!text.contains("panicked"), "{text}");
}
