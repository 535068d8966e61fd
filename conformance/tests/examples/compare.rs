//! Compares what a command printed with what a README shows.
//!
//! Both must be the same, but for three things: a line `...` means any lines; `[..]` in a
//! line for any text; and a figure before `MiB` or `s` may be another one, where the README says
//! so with its unit: a memory figure by 3 MiB or a fifth, a time by anything.

use libtest_mimic::Failed;

/// What differs, or `None`.
pub(crate) fn differences(shown: &str, printed: &str) -> Option<String> {
    let shown: Vec<&str> = shown.lines().collect();
    let printed: Vec<&str> = printed.lines().map(str::trim_end).collect();
    let mut best = 0;
    match matches(&shown, &printed, &mut best) {
        true => None,
        false => {
            let line = shown.get(best).unwrap_or(&"the end of the output");
            Some(format!(
                "the README has, and the command did not print here: {line}"
            ))
        }
    }
}

/// Whether the lines match. `furthest` becomes the number of lines shown that were found.
fn matches(shown: &[&str], printed: &[&str], furthest: &mut usize) -> bool {
    fn rest(shown: &[&str], printed: &[&str], at: usize, furthest: &mut usize) -> bool {
        *furthest = at.max(*furthest);
        match (shown.get(at), printed.first()) {
            (None, first) => first.is_none(),
            (Some(&"..."), _) => (0..=printed.len())
                .any(|skipped| rest(shown, &printed[skipped..], at + 1, furthest)),
            (Some(line), Some(first)) => {
                is_alike(line.trim_end(), first) && rest(shown, &printed[1..], at + 1, furthest)
            }
            (Some(_), None) => false,
        }
    }
    rest(shown, printed, 0, furthest)
}

/// Whether a line matches.
fn is_alike(shown: &str, printed: &str) -> bool {
    let (Some((words, figures)), Some((other_words, other_figures))) =
        (without_figures(shown), without_figures(printed))
    else {
        return false;
    };
    let alike = |(one, other): (&f64, &f64)| (one - other).abs() <= (one * 0.2).max(3.0);
    figures.len() == other_figures.len()
        && figures.iter().zip(&other_figures).all(alike)
        && is_wild(&words, &other_words)
}

/// Whether a text matches a pattern with `[..]`.
fn is_wild(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split("[..]");
    let first = parts.next().unwrap_or_default();
    let Some(mut text) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return text.is_empty();
    };
    for part in parts {
        match text.split_once(part) {
            Some((_, rest)) => text = rest,
            None => return false,
        }
    }
    text.ends_with(last)
}

/// A line with `#` in the place of each figure of memory, and the figures in MiB. Times lose
/// their figures.
fn without_figures(line: &str) -> Option<(String, Vec<f64>)> {
    let mut figures = Vec::new();
    let mut words = Vec::new();
    for word in line.split(' ') {
        let number = words
            .last()
            .and_then(|last: &String| last.parse::<f64>().ok());
        match (number, word.trim_end_matches([',', ';', '.', ')'])) {
            (Some(number), "MiB") => {
                figures.push(number);
                *words.last_mut()? = "#".into();
            }
            (Some(_), "s") => *words.last_mut()? = "#".into(),
            _ => {}
        }
        words.push(match word.strip_suffix('s').map(str::parse::<f64>) {
            Some(Ok(_)) => "#s".into(),
            _ => word.to_owned(),
        });
    }
    Some((words.join(" "), figures))
}

/// Checks that a comparison sees what it must, and nothing else.
pub(crate) fn check() -> Result<(), Failed> {
    for (shown, printed) in [
        ("a\n", "a\n"),
        ("a\n...\nd\n", "a\nb\nc\nd\n"),
        ("...\n", ""),
        ("at [..] now\n", "at 0x7f now\n"),
        ("was 40 MiB and is 8 MiB\n", "was 41 MiB and is 6 MiB\n"),
        ("finished in 1.20s\n", "finished in 9.87s\n"),
    ] {
        assert_eq!(differences(shown, printed), None, "{shown}");
    }
    for (shown, printed) in [
        ("a\n", "b\n"),
        ("a\n", "a\nb\n"),
        ("a\nb\n", "a\n"),
        ("a\n...\nd\n", "a\nb\n"),
        ("at [..] now\n", "at 0x7f then\n"),
        ("was 40 MiB and is 8 MiB\n", "was 40 MiB and is 40 MiB\n"),
        ("errno is 77\n", "errno is 22\n"),
    ] {
        assert!(differences(shown, printed).is_some(), "{shown}");
    }
    Ok(())
}
