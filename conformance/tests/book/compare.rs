//! Compares the output of a command with the book. Line breaks, the width of a table and times
//! may differ. A size may differ by a quarter or by 1 MiB.

use std::iter::once;

const TIMES: [&str; 4] = ["s", "ms", "µs", "ns"];
const SIZES: [(&str, f64); 3] = [("KiB", 1.0 / 1024.0), ("MiB", 1.0), ("GiB", 1024.0)];

/// Returns where the outputs differ, or `None` if they say the same.
pub(crate) fn difference(book: &str, program: &str) -> Option<String> {
    let (book, program) = (words(book), words(program));
    let length = book.len().max(program.len());
    for at in 0..length {
        let unit = |words: &[String]| words.get(at + 1).map(|it| bare(it).to_owned());
        let (shown, found) = (book.get(at), program.get(at));
        let same = match (shown, found) {
            (Some(shown), Some(found)) => {
                shown == found || unit(&book).is_some_and(|unit| close(shown, found, &unit))
            }
            _ => false,
        };
        if !same {
            let around = |words: &[String]| {
                let last = words.len().min(at + 12);
                words[at.saturating_sub(4).min(last)..last].join(" ")
            };
            return Some(format!(
                "the book has\n    {}\nand the program\n    {}",
                around(&book),
                around(&program)
            ));
        }
    }
    None
}

/// Returns the words of an output. What this machine sets as the limits of a probe, and lines of
/// tables, are left out.
fn words(text: &str) -> Vec<String> {
    let lines = text
        .lines()
        .filter(|line| !line.starts_with("fence: ") && !line.starts_with("not in force: "));
    let words = lines.flat_map(|line| line.split_whitespace().chain(once("\n")));
    words
        .filter(|word| *word != "\n" && !word.chars().all(|it| "─═│".contains(it)))
        .map(str::to_owned)
        .collect()
}

/// Returns the word without the punctuation around it.
fn bare(word: &str) -> &str {
    word.trim_matches(|it: char| it.is_ascii_punctuation() && it != '-' && it != '%')
}

/// Whether two words end in numbers with this unit that are near enough: `message="128.0` too.
fn close(shown: &str, found: &str, unit: &str) -> bool {
    let number = |word: &str| {
        let start = word.trim_end_matches(|it: char| it.is_ascii_digit() || ".,".contains(it));
        let digits = word[start.len()..].replace(',', "");
        Some((start.to_owned(), digits.parse::<f64>().ok()?))
    };
    let (Some((before, shown)), Some((same, found))) = (number(shown), number(found)) else {
        return false;
    };
    if before != same {
        return false;
    }
    if TIMES.contains(&unit) {
        return true;
    }
    let of = SIZES.iter().find(|(name, _)| *name == unit);
    of.is_some_and(|(_, mebibytes)| {
        let apart = (shown - found).abs();
        apart * mebibytes <= 1.0 || apart <= shown.abs() / 4.0
    })
}

#[test]
fn times_and_line_breaks_may_differ() {
    assert_eq!(difference("took 1.2 s (all)", "took 30\ns  (all)"), None);
    assert_eq!(difference("─────\n a   b\n", "a\n──\n\nb"), None);
    assert_eq!(difference("fence: a\nb", "fence: c\nb"), None);
}

#[test]
fn a_size_may_differ_by_a_quarter_or_a_mebibyte() {
    assert_eq!(difference("130.0 MiB", "150.1 MiB"), None);
    assert_eq!(difference("0.2 MiB,", "1.1 MiB,"), None);
    assert_eq!(difference("a=\"128.0 MiB at", "a=\"128.2 MiB at"), None);
    assert!(difference("a=\"128.0 MiB at", "b=\"128.0 MiB at").is_some());
    assert!(difference("130.0 MiB", "170.0 MiB").is_some());
    assert!(difference("0.2 MiB", "1.3 MiB").is_some());
    assert!(difference("12 KiB", "12 MiB").is_some());
}

#[test]
fn a_word_a_number_and_a_missing_line_are_differences() {
    assert!(difference("12 pass", "13 pass").is_some());
    assert!(difference("12 pass", "12 fail").is_some());
    assert!(difference("12 pass", "12 pass\nmore").is_some());
    assert!(difference("12 pass\nmore", "12 pass").is_some());
}
