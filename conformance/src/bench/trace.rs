//! A trace: what a program asked of its heap, as a text file.
//!
//! One call a line: `a ID SIZE` allocates, `r ID SIZE` gives another size,
//! `f ID` frees, `m` is `_heapmin`. IDs are small numbers; one that was freed
//! may come again. Lines that begin with `#` are for the reader.

use super::act::{TRACE_VARIABLE, nanoseconds};
use heapmin_harness::probe::crt::BareBlock;
use heapmin_harness::probe::{Probe, Stop};
use heapmin_harness::text::input_error::InputError;
use std::path::Path;
use std::time::Instant;

/// One call of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// A new block.
    Allocate(usize, usize),
    /// Another size for a block.
    Resize(usize, usize),
    /// The end of a block.
    Free(usize),
    /// `_heapmin`.
    Minimise,
}

/// No more blocks at a time than this.
const MOST_BLOCKS: usize = 1 << 24;

/// Reads a trace.
///
/// # Errors
/// With the line that is wrong, and why.
pub fn read(path: &Path) -> Result<Vec<Call>, InputError> {
    let text = heapmin_harness::text::text_file::read(path).map_err(|error| {
        let what = format!("cannot read the trace {}: {error}", path.display());
        InputError::new(what, "name a file that docs/guide/benchmarks.md describes")
    })?;
    parse(&text).map_err(|(line, why)| {
        let place = format!("{}:{line}", path.display());
        InputError::new(
            format!("{place}: {why}"),
            "see docs/guide/benchmarks.md for what a trace may say",
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
            return Err((number, format!("block {id} is one too many")));
        }
        if id >= is_live.len() {
            is_live.resize(id + 1, false);
        }
        if is_live[id] != was {
            let state = if was { "not there" } else { "still there" };
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

/// Replays the trace that the environment names.
pub fn replay(probe: &mut Probe) -> Result<(), Stop> {
    let failed = |why: String| Stop::Failed(why);
    let path =
        std::env::var_os(TRACE_VARIABLE).ok_or_else(|| failed("no trace is named".into()))?;
    let calls = read(path.as_ref()).map_err(|error| failed(error.to_string()))?;
    let ids = calls.iter().filter_map(|call| match *call {
        Call::Allocate(id, _) => Some(id + 1),
        _ => None,
    });
    let mut blocks: Vec<Option<BareBlock>> = (0..ids.max().unwrap_or(0)).map(|_| None).collect();
    let bare = probe.crt.bare()?;
    probe.moment("baseline")?;
    let start = Instant::now();
    // By reference: the list must still be there when the last figure is taken.
    for &call in &calls {
        match call {
            Call::Allocate(id, size) => {
                let mut block = bare.malloc(size)?;
                block.fill(5);
                blocks[id] = Some(block);
            }
            Call::Resize(id, size) => {
                if let Some(block) = blocks[id].take() {
                    let from = block.size().min(size);
                    let mut block = bare.realloc(block, size.max(1))?;
                    block.fill_from(from, 5);
                    blocks[id] = Some(block);
                }
            }
            Call::Free(id) => blocks[id]
                .take()
                .into_iter()
                .for_each(|block| bare.free(block)),
            Call::Minimise => {
                bare.heapmin();
            }
        }
    }
    let allocate = nanoseconds(start);
    probe.moment("held")?;
    let start = Instant::now();
    bare.heapmin();
    let release = nanoseconds(start);
    probe.moment("released")?;
    probe.fact("allocate", allocate)?;
    probe.fact("release", release)?;
    let live = heapmin_harness::probe::pages::of(
        blocks
            .iter()
            .flatten()
            .map(|block| (block.address(), block.size())),
    );
    probe.fact("live pages", live.len() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn a_trace_is_read() {
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
    #[case("a 1 2\nf 2", 2, "block 2 is not there")]
    #[case("a 1 2\na 1 2", 2, "block 1 is still there")]
    #[case("a 1 2\nf 1\nr 1 5", 3, "block 1 is not there")]
    #[case("a 16777216 2", 1, "block 16777216 is one too many")]
    fn a_wrong_line_is_told(#[case] text: &str, #[case] line: usize, #[case] why: &str) {
        assert_eq!(parse(text), Err((line, why.to_owned())));
    }
}
