//! A call that succeeds returns 0 and leaves `errno` alone.

use super::empty_heap::EMPTY;
use super::faults::SUCCEEDS;
use super::start_values::START_VALUES;
use crate::clause::Section::Remarks;
use crate::clause::check::{NO_ERRNO, by};
use crate::clause::{Clause, Judgement, Routine, Seen, must, stated};
use crate::clauses::pages;

const HEAPMIN: Routine = Routine {
    name: "_heapmin",
    page: &pages::HEAPMIN,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: _heapmin
    must(
        HEAPMIN,
        "heapmin.success-returns-zero",
        "on success it returns 0",
        stated(Remarks),
        &[&START_VALUES, &EMPTY, &SUCCEEDS],
        &[by(
            "0 from every call that does not fail with -1",
            returns_zero,
        )],
    ),
    // PAGE: errno
    must(
        HEAPMIN,
        "heapmin.success-keeps-errno",
        "a successful call leaves errno and _doserrno as they were",
        stated(Remarks),
        &[&START_VALUES, &SUCCEEDS],
        &[by(
            "errno and _doserrno after the call as before it, from every start value",
            keeps_errno,
        )],
    ),
];

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
            return Judgement::unsupported(NO_ERRNO);
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
