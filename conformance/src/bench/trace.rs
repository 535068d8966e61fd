//! A trace: the heap calls of a program, as a text file.
//!
//! Each line is a call: `a ID SIZE` allocates a block, `r ID SIZE` resizes it,
//! `f ID` frees it, `m` calls `_heapmin`. IDs are small numbers; the ID of a
//! freed block may be used again. Lines that begin with `#` are comments.

use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::suggest::path_or;
use std::path::Path;

/// One call of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Allocates a block: ID and size.
    Allocate(usize, usize),
    /// Resizes a block: ID and new size.
    Resize(usize, usize),
    /// Frees the block with this ID.
    Free(usize),
    /// `_heapmin`.
    Minimise,
}

/// IDs are below this number.
const MOST_BLOCKS: usize = 1 << 24;

/// The calls in the trace of this file.
///
/// # Errors
/// If the file cannot be read or a line is wrong; the message names the line.
pub fn read(path: &Path) -> Result<Vec<Call>, InputError> {
    let text = heapmin_harness::text::text_file::read(path).map_err(|error| {
        let what = format!("cannot read the trace {}: {error}", path.display());
        let otherwise = "name a trace file, as described in docs/guide/benchmarks.md";
        InputError::new(what, path_or(path, otherwise))
    })?;
    parse(&text).map_err(|(line, why)| {
        let place = format!("{}:{line}", path.display());
        InputError::new(
            format!("{place}: {why}"),
            "see docs/guide/benchmarks.md for the format of a trace",
        )
    })
}

fn parse(text: &str) -> Result<Vec<Call>, (usize, String)> {
    let mut is_live: Vec<bool> = Vec::new();
    let mut calls = Vec::new();
    let lines = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()));
    for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        let call = call(line).ok_or_else(|| (number, format!("`{line}` is not a call")))?;
        let (id, was, will) = match call {
            Call::Allocate(id, _) => (id, false, true),
            Call::Resize(id, _) => (id, true, true),
            Call::Free(id) => (id, true, false),
            Call::Minimise => {
                calls.push(call);
                continue;
            }
        };
        if id >= MOST_BLOCKS {
            return Err((
                number,
                format!("the ID {id} is too large; IDs must be below {MOST_BLOCKS}"),
            ));
        }
        if id >= is_live.len() {
            is_live.resize(id + 1, false);
        }
        if is_live[id] != was {
            let state = if was { "not live" } else { "still live" };
            return Err((number, format!("block {id} is {state}")));
        }
        is_live[id] = will;
        calls.push(call);
    }
    Ok(calls)
}

fn call(line: &str) -> Option<Call> {
    let mut words = line.split_whitespace();
    let name = words.next()?;
    let mut number = || words.next()?.parse::<usize>().ok();
    let call = match name {
        "a" => Call::Allocate(number()?, number()?),
        "r" => Call::Resize(number()?, number()?),
        "f" => Call::Free(number()?),
        "m" => Call::Minimise,
        _ => return None,
    };
    words.next().is_none().then_some(call)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn comments_and_empty_lines_of_a_trace_are_skipped() {
        let calls = parse("# sqlite3\n\na 0 16\nr 0 40\nm\nf 0\na 0 1\n").unwrap();
        let wanted = [
            Call::Allocate(0, 16),
            Call::Resize(0, 40),
            Call::Minimise,
            Call::Free(0),
            Call::Allocate(0, 1),
        ];
        assert_eq!(calls, wanted);
    }

    #[rstest]
    #[case("a 1", 1, "`a 1` is not a call")]
    #[case("a 1 2 3", 1, "`a 1 2 3` is not a call")]
    #[case("a 1 -2", 1, "`a 1 -2` is not a call")]
    #[case("malloc 1 2", 1, "`malloc 1 2` is not a call")]
    #[case("a 1 2\nf 2", 2, "block 2 is not live")]
    #[case("a 1 2\na 1 2", 2, "block 1 is still live")]
    #[case("a 1 2\nf 1\nr 1 5", 3, "block 1 is not live")]
    #[case(
        "a 16777216 2",
        1,
        "the ID 16777216 is too large; IDs must be below 16777216"
    )]
    fn a_wrong_line_is_reported_with_its_number(
        #[case] text: &str,
        #[case] line: usize,
        #[case] why: &str,
    ) {
        assert_eq!(parse(text), Err((line, why.to_owned())));
    }
}
