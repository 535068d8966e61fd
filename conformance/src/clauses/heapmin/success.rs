//! A call that succeeds returns 0 and leaves `errno` alone.

use super::empty_heap::EMPTY;
use super::faults::SUCCEEDS;
use super::start_values::START_VALUES;
use crate::clause::{Clause, Judgement, Level, Seen};

pub static RETURNS_ZERO: Clause = Clause {
    id: "heapmin.success-returns-zero",
    routine: "_heapmin",
    level: Level::Must,
    page: "_heapmin",
    summary: "on success it returns 0",
    expects: "0 from every call that does not fail with -1",
    cases: &[&START_VALUES, &EMPTY, &SUCCEEDS],
    judge: returns_zero,
};

pub static KEEPS_ERRNO: Clause = Clause {
    id: "heapmin.success-keeps-errno",
    routine: "_heapmin",
    level: Level::Must,
    page: "errno",
    summary: "a successful call leaves errno and _doserrno as they were",
    expects: "errno and _doserrno after the call as before it, from every start value",
    cases: &[&START_VALUES, &SUCCEEDS],
    judge: keeps_errno,
};

fn returns_zero(seen: &Seen) -> Judgement {
    let returned: Vec<_> = seen
        .observation
        .calls("_heapmin")
        .map(|call| call.returned)
        .collect();
    if let Some(other) = returned.iter().find(|value| !matches!(value, 0 | -1)) {
        return Judgement::fail(format!("a call returned {other}"));
    }
    let zeros = returned.iter().filter(|value| **value == 0).count();
    let count = returned.len();
    match zeros {
        0 => Judgement::unsupported(format!(
            "none of {count} calls succeeded; see the failure clauses"
        )),
        _ if zeros == count => Judgement::pass(format!("0 from all {count} calls")),
        _ => Judgement::pass(format!(
            "0 from {zeros} of {count} calls, -1 from the others"
        )),
    }
}

fn keeps_errno(seen: &Seen) -> Judgement {
    let mut succeeded = 0;
    for call in seen
        .observation
        .calls("_heapmin")
        .filter(|call| call.returned == 0)
    {
        succeeded += 1;
        let Some((before, after)) = call.errno else {
            return Judgement::unsupported("nobody knows where the library keeps errno");
        };
        if before != after {
            let names = seen.numbering;
            return Judgement::fail(format!(
                "errno was {} before a successful call and {} after it",
                names.describe(before),
                names.describe(after)
            ));
        }
        if let Some((before, after)) = call.doserrno
            && before != after
        {
            return Judgement::fail(format!(
                "_doserrno was {before} before a successful call and {after} after it"
            ));
        }
    }
    match succeeded {
        0 => Judgement::unsupported("no call succeeded; see the failure clauses"),
        _ => Judgement::pass(format!(
            "errno was kept by all {succeeded} successful calls"
        )),
    }
}
