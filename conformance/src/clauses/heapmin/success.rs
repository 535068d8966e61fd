//! A call of `_heapmin` that succeeds returns 0 and leaves `errno` as it was.

use super::empty_heap::EMPTY;
use super::faults::SUCCEEDS;
use super::start_values::START_VALUES;
use super::{HEAPMIN, SOME_CALL_SUCCEEDS};
use crate::clause::Section::ReturnValue;
use crate::clause::check::{NO_ERRNO, by, every_call, one_of};
use crate::clause::{Clause, Judgement, Seen, must, stated};
use crate::clauses::codes::{MINUS_ONE, ZERO};
use crate::clauses::origins::SUCCESS_KEEPS_ERRNO;

pub(crate) static CLAUSES: &[Clause] = &[
    must(
        HEAPMIN,
        "heapmin.success-returns-zero",
        "_heapmin returns 0 if it succeeds",
        stated(ReturnValue),
        &[&START_VALUES, &EMPTY, &SUCCEEDS],
        &[SOME_CALL_SUCCEEDS, every_call(one_of(&[ZERO, MINUS_ONE]))],
    )
    // A call succeeds or fails. So a run that judged neither this clause nor
    // `heapmin.failure-returns-minus-one` has judged no result of `_heapmin`.
    .essential(),
    must(
        HEAPMIN,
        "heapmin.success-keeps-errno",
        "_heapmin leaves errno and _doserrno as they were if it succeeds",
        SUCCESS_KEEPS_ERRNO,
        &[&START_VALUES, &SUCCEEDS],
        &[by(
            "errno and _doserrno as before after every call that returns 0",
            keeps_errno,
        )],
    ),
];

fn keeps_errno(seen: &Seen) -> Judgement {
    let mut succeeded = 0;
    for call in seen
        .observation
        .calls("_heapmin")
        .filter(|call| call.returned == 0)
    {
        succeeded += 1;
        let Some((before, after)) = call.errno else {
            return Judgement::not_judged(NO_ERRNO);
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
        0 => Judgement::not_judged("no call succeeded; see the failure clauses"),
        _ => Judgement::pass(format!(
            "errno was kept by all {succeeded} successful calls"
        )),
    }
}
