//! Drafts observations that a candidate could forge: known names, with any
//! figures, in any order and number.

use arbitrary::{Arbitrary, Result, Unstructured};
use heapmin_harness::memory::Memory;
use heapmin_harness::wire::fence::InForce;
use heapmin_harness::wire::observation::{Answer, Call, Ending, Event, Kind, Observation, Walk};

/// The most events in an observation; more would test nothing new.
const MOST: usize = 48;

/// An observation; `words` are the names that judges look for.
pub fn observation(u: &mut Unstructured, words: &[&str]) -> Result<Observation> {
    let ending = match u.int_in_range(0..=9)? {
        0 => Ending::Died(text(u)?),
        1 => Ending::TimedOut,
        2 => Ending::Failed(text(u)?),
        3 => Ending::Interrupted,
        _ => Ending::Done,
    };
    let duration_ms = number(u)? as u64;
    let mut events = Vec::new();
    while !u.is_empty() && events.len() < MOST {
        events.push(event(u, words)?);
    }
    Ok(Observation {
        events,
        ending,
        duration_ms,
    })
}

/// One event.
pub fn event(u: &mut Unstructured, words: &[&str]) -> Result<Event> {
    Ok(match u.int_in_range(0..=31)? {
        0 => Event::Hello {
            build: text(u)?,
            process: 0,
        },
        1 => Event::Fenced(InForce {
            kept: vec![text(u)?],
            missing: vec![text(u)?],
        }),
        2 => Event::Loaded {
            path: option(u, text)?,
        },
        3 => Event::LoadFailed(text(u)?),
        4 => Event::Missing(text(u)?),
        5 => Event::NotApplicable(text(u)?),
        6 => Event::OutOfMemory {
            size: number(u)? as u64,
            available: option(u, |u| Ok(number(u)? as u64))?,
        },
        7 => Event::Answer(answer(u, words)?),
        8 => Event::ProbeFailed(text(u)?),
        9 => Event::Exception(u.arbitrary()?),
        10 => Event::Done,
        11 => Event::NotJudged(text(u)?),
        12 => Event::Step(word(u, words)?),
        13..=18 => Event::Moment {
            name: word(u, words)?,
            inside: option(u, memory)?,
            outside: option(u, memory)?,
        },
        19..=24 => Event::Call(call(u, words)?),
        _ => Event::Fact {
            name: word(u, words)?,
            value: number(u)?,
        },
    })
}

/// An answer to an operation.
pub fn answer(u: &mut Unstructured, words: &[&str]) -> Result<Answer> {
    let bits: u8 = u.arbitrary()?;
    // Mostly without defects: the first defect hides later ones.
    let bits = if u.ratio(3, 4)? { 0 } else { bits };
    let is = |bit: u8| bits & (1 << bit) != 0;
    Ok(Answer {
        index: number(u)? as u64,
        call: option(u, |u| call(u, words))?,
        lost: if is(0) { number(u)? as u64 } else { 0 },
        not_zero: if is(1) { number(u)? as u64 } else { 0 },
        misaligned: is(2),
        overlaps: is(3),
        too_small: is(4),
        moved: is(5),
        walk: if is(6) { option(u, walk)? } else { None },
    })
}

fn walk(u: &mut Unstructured) -> Result<Walk> {
    Ok(Walk {
        entries: number(u)? as u64,
        missing: number(u)? as u32,
        twice: number(u)? as u32,
        too_small: number(u)? as u32,
    })
}

fn call(u: &mut Unstructured, words: &[&str]) -> Result<Call> {
    Ok(Call {
        routine: word(u, words)?,
        arguments: text(u)?,
        kind: *u.choose(&[Kind::Nothing, Kind::Number, Kind::Size, Kind::Pointer])?,
        returned: number(u)?,
        errno: option(u, |u| Ok((number(u)? as i32, number(u)? as i32)))?,
        doserrno: option(u, |u| Ok((number(u)? as u32, number(u)? as u32)))?,
        last_error_before: number(u)? as u32,
        handler_calls: number(u)? as u32,
        refusals: option(u, |u| Ok(number(u)? as u32))?,
    })
}

/// A measurement of memory.
pub fn memory(u: &mut Unstructured) -> Result<Memory> {
    Ok(Memory {
        resident: number(u)? as u64,
        lazily_freed: number(u)? as u64,
    })
}

/// A number: one with a meaning, an extreme one, or any.
pub fn number(u: &mut Unstructured) -> Result<i64> {
    const SOME: [i64; 24] = [
        0,
        1,
        2,
        3,
        -1,
        -2,
        -3,
        -4,
        -5,
        -6,
        12,
        22,
        38,
        40,
        50,
        77,
        3000,
        1 << 20,
        128 << 20,
        i32::MIN as i64,
        i32::MAX as i64,
        i64::MIN,
        i64::MAX,
        u32::MAX as i64,
    ];
    match u.int_in_range(0..=3)? {
        0 => i64::arbitrary(u),
        1 => Ok(u8::arbitrary(u)?.into()),
        _ => Ok(*u.choose(&SOME)?),
    }
}

/// A value, or rarely `None`.
pub fn option<'a, T>(
    u: &mut Unstructured<'a>,
    value: impl FnOnce(&mut Unstructured<'a>) -> Result<T>,
) -> Result<Option<T>> {
    match u.ratio(1, 8)? {
        true => Ok(None),
        false => value(u).map(Some),
    }
}

/// One of `words`, or rarely any text.
pub fn word(u: &mut Unstructured, words: &[&str]) -> Result<String> {
    match u.ratio(15, 16)? {
        true => Ok((*u.choose(words)?).to_owned()),
        false => text(u),
    }
}

/// A short text.
fn text(u: &mut Unstructured) -> Result<String> {
    const SOME: [&str; 6] = ["", "block, 24", "SIGSYS", "a\nb", "\u{1b}[31m", "| é"];
    match u.ratio(7, 8)? {
        true => Ok((*u.choose(&SOME)?).to_owned()),
        false => {
            let length = u.int_in_range(0..=12)?;
            Ok(String::from_utf8_lossy(u.bytes(length.min(u.len()))?).into_owned())
        }
    }
}
