//! Changes events and figures of forged observations. Changed bytes would rarely
//! form a valid line of the channel.

use crate::draft;
use crate::forgery::Forgery;
use crate::words;
use arbitrary::{Result, Unstructured};
use heapmin_conformance::clauses;
use heapmin_harness::wire::observation::Event;

/// The bytes of a forgery, changed in a few places. The same `seed` makes the
/// same changes.
pub fn mutate(bytes: &[u8], seed: u32) -> Vec<u8> {
    let mut forgery = Forgery::read(bytes);
    let chance = chance(seed);
    let mut u = Unstructured::new(&chance);
    let changes = u.int_in_range(1..=4).unwrap_or(1);
    for _ in 0..changes {
        if change(&mut forgery, &mut u).is_err() {
            break;
        }
    }
    forgery.write()
}

/// Pseudo-random bytes.
fn chance(seed: u32) -> Vec<u8> {
    let words = (0..64u64).map(|index| {
        let mixed = (u64::from(seed) << 8 | index).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB)
    });
    words
        .flat_map(|word| (word ^ word >> 31).to_le_bytes())
        .collect()
}

fn change(forgery: &mut Forgery, u: &mut Unstructured) -> Result<()> {
    let case = forgery.case.name;
    let is_for = |it: &&_| words::is_for(it, case);
    let id = clauses::all().find(is_for).map_or("", |clause| clause.id);
    let words = words::of_clause(id);
    let events = &mut forgery.events;
    let what = u.int_in_range(0..=15)?;
    if events.is_empty() || what == 0 {
        let at = u.int_in_range(0..=events.len())?;
        events.insert(at, draft::event(u, words)?);
        return Ok(());
    }
    let at = u.choose_index(events.len())?;
    match what {
        1 => drop(events.remove(at)),
        2 => events.insert(at, events[at].clone()),
        3 => {
            let other = u.choose_index(events.len())?;
            events.swap(at, other);
        }
        4 => forgery.ending = (u.int_in_range(0..=5)?, draft::number(u)? as u64),
        5 => forgery.missing ^= 1 << u.int_in_range(0..=63)?,
        6 => forgery.case = *u.choose(&clauses::cases())?,
        7 => events.truncate(at),
        8 => rename(&mut events[at], draft::word(u, words)?),
        _ => figure(&mut events[at], u)?,
    }
    Ok(())
}

fn rename(event: &mut Event, new: String) {
    match event {
        Event::Fact { name, .. } | Event::Moment { name, .. } => *name = new,
        Event::Call(call) => call.routine = new,
        Event::Step(text) | Event::Missing(text) | Event::NotApplicable(text) | Event::NotJudged(text) => *text = new,
        _ => {}
    }
}

/// Changes one figure of an event.
fn figure(event: &mut Event, u: &mut Unstructured) -> Result<()> {
    let number = draft::number(u)?;
    match event {
        Event::Fact { value, .. } => *value = number,
        Event::OutOfMemory { size, available } => match u.arbitrary()? {
            true => *size = number as u64,
            false => *available = Some(number as u64),
        },
        Event::Moment { outside, .. } => *outside = draft::option(u, draft::memory)?,
        Event::Call(call) => match u.int_in_range(0..=6)? {
            0..=1 => call.returned = number,
            2 => call.errno = call.errno.map(|(before, _)| (before, number as i32)),
            3 => call.doserrno = call.doserrno.map(|(before, _)| (before, number as u32)),
            4 => call.handler_calls = number as u32,
            5 => call.refusals = Some(number as u32),
            _ => (call.errno, call.doserrno) = (None, None),
        },
        _ => {}
    }
    Ok(())
}
