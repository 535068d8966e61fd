//! The new handler: a routine of the program that `malloc` and its relatives call when they
//! find no memory, if the mode is 1. It returns 0 to give up, and another number to have
//! the heap try again.
//!
//! The pages call these routines functions of C++. No page says that the library of a heap
//! exports them, and without `_set_new_mode` no program can ask `malloc` for such a call. So
//! the clauses do not apply to a library without them.

use super::sizes::UNAVAILABLE;
use crate::clause::Section::{Remarks, ReturnValue};
use crate::clause::check::{ANY, Check, NULL, by, every_call, none_of, one_of};
use crate::clause::{Case, Clause, Judgement, Routine, Seen, Verdict, derived, must, stated};
use crate::clauses::codes::MINUS_ONE;
use crate::clauses::pages;
use heapmin_harness::probe::crt::{
    Block, Crt, WhichHandler, new_handler_calls, new_handler_returns,
};
use heapmin_harness::probe::{Probe, Stop};

const SET_NEW_MODE: Routine = Routine {
    name: "_set_new_mode",
    page: &pages::SET_NEW_MODE,
};
const QUERY_NEW_MODE: Routine = Routine {
    name: "_query_new_mode",
    page: &pages::QUERY_NEW_MODE,
};
const SET_NEW_HANDLER: Routine = Routine {
    name: "_set_new_handler",
    page: &pages::SET_NEW_HANDLER,
};
const QUERY_NEW_HANDLER: Routine = Routine {
    name: "_query_new_handler",
    page: &pages::QUERY_NEW_HANDLER,
};
const CALLNEWH: Routine = Routine {
    name: "_callnewh",
    page: &pages::CALLNEWH,
};
const MALLOC: Routine = Routine {
    name: "malloc",
    page: &pages::MALLOC,
};
const CALLOC: Routine = Routine {
    name: "calloc",
    page: &pages::CALLOC,
};
const REALLOC: Routine = Routine {
    name: "realloc",
    page: &pages::REALLOC,
};
const RECALLOC: Routine = Routine {
    name: "_recalloc",
    page: &pages::RECALLOC,
};

pub(super) static CLAUSES: &[Clause] = &[
    must(
        QUERY_NEW_MODE,
        "new-handler.mode-0-at-start",
        "_query_new_mode returns 0 before the program sets a mode",
        derived(
            ReturnValue,
            "0 means that malloc calls no new handler, and by default it calls none",
        )
        .and(&pages::MALLOC, Remarks),
        &[&MODES],
        &[by("0 at the start", |seen| are(seen, &[("mode at the start", 0)]))],
    )
    .may_lack(ROUTINES, NO_CALL),
    must(
        SET_NEW_MODE,
        "new-handler.mode-set-and-get",
        "_set_new_mode returns the mode before the call, and _query_new_mode the current one",
        stated(ReturnValue).and(&pages::QUERY_NEW_MODE, ReturnValue),
        &[&MODES],
        &[by("the mode of the latest call that set one", |seen| {
            are(
                seen,
                &[
                    ("mode before 1", 0),
                    ("mode after 1", 1),
                    ("mode before 1 again", 1),
                    ("mode after 1 again", 1),
                    ("mode before 0", 1),
                    ("mode after 0", 0),
                ],
            )
        })],
    )
    .may_lack(ROUTINES, NO_CALL),
    must(
        SET_NEW_MODE,
        "new-handler.mode-invalid",
        "_set_new_mode returns -1, sets errno to EINVAL and keeps the mode, for any mode but 0 and 1",
        stated(Remarks),
        &[&INVALID_MODES],
        &[
            every_call(one_of(&[MINUS_ONE]).sets_errno("EINVAL")),
            by("the mode 1, which was set before", |seen| {
                are(seen, &[("mode after invalid ones", 1)])
            }),
        ],
    )
    .may_lack(ROUTINES, NO_CALL),
    must(
        SET_NEW_MODE,
        "new-handler.mode-invalid-calls-handler",
        "_set_new_mode calls the invalid parameter handler for any mode but 0 and 1",
        stated(Remarks),
        &[&INVALID_MODES],
        &[every_call(ANY.calls_the_handler())],
    )
    .may_lack(ROUTINES, NO_CALL),
    must(
        SET_NEW_HANDLER,
        "new-handler.set-gives-the-previous",
        "_set_new_handler returns the new handler before the call, a null pointer if there was none, and removes the handler if it is given a null pointer",
        stated(ReturnValue).and(&pages::SET_NEW_HANDLER, Remarks),
        &[&SET],
        &[by("none, then the first handler, then the second", |seen| {
            are(
                seen,
                &[
                    ("handler before the first", NONE),
                    ("handler before the second", FIRST),
                    ("handler before none", SECOND),
                    ("handler before the first again", NONE),
                ],
            )
        })],
    )
    .may_lack(ROUTINES, NO_CALL),
    must(
        QUERY_NEW_HANDLER,
        "new-handler.query-gives-the-current",
        "_query_new_handler returns the handler that _set_new_handler set, and a null pointer if no handler is set",
        derived(
            ReturnValue,
            "the page states the current handler, and there is no default handler",
        )
        .and(&pages::SET_NEW_HANDLER, Remarks),
        &[&QUERY],
        &[by("the handler of the latest call that set one", |seen| {
            are(
                seen,
                &[
                    ("handler at the start", NONE),
                    ("handler after the first", FIRST),
                    ("handler after the second", SECOND),
                    ("handler after none", NONE),
                ],
            )
        })],
    )
    .may_lack(ROUTINES, NO_CALL),
    must(
        CALLNEWH,
        "new-handler.callnewh",
        "_callnewh calls the new handler with the size that it was given, and returns 1 if the handler says that the heap must try again; without a handler it returns 0",
        derived(
            ReturnValue,
            "0 means that no handler is set, and 1 that the allocation can be retried; a handler that returns another number than 0 lets the allocation be retried",
        )
        .and(&pages::SET_NEW_HANDLER, Remarks),
        &[&CALL],
        &[by("0 without a handler; with one, a call of it and 1", |seen| {
            are(
                seen,
                &[
                    ("returned without a handler", 0),
                    ("returned with a handler", 1),
                    ("calls of the handler", 1),
                    ("size that the handler got", 12_345),
                ],
            )
        })],
    )
    .may_lack(ROUTINES, NO_CALL),
    in_mode_1(
        MALLOC,
        "new-handler.malloc",
        "malloc calls the new handler in mode 1 when it finds no memory, tries again as often as the handler returns another number than 0, and then returns NULL and sets errno to ENOMEM",
        &[&MALLOC_CALLS],
    )
    .may_lack(ROUTINES, NO_CALL),
    in_mode_0(
        MALLOC,
        "new-handler.malloc-in-mode-0",
        "malloc calls no new handler in mode 0, the default: it returns NULL and sets errno to ENOMEM",
        &[&MALLOC_DOES_NOT],
    )
    .may_lack(ROUTINES, NO_CALL),
    in_mode_1(
        CALLOC,
        "new-handler.calloc",
        "calloc calls the new handler in mode 1 when it finds no memory, as malloc does",
        &[&CALLOC_CALLS],
    )
    .may_lack(ROUTINES, NO_CALL),
    in_mode_0(
        CALLOC,
        "new-handler.calloc-in-mode-0",
        "calloc calls no new handler in mode 0, the default",
        &[&CALLOC_DOES_NOT],
    )
    .may_lack(ROUTINES, NO_CALL),
    in_mode_1(
        REALLOC,
        "new-handler.realloc",
        "realloc calls the new handler in mode 1 when it finds no memory, as malloc does, and keeps the block",
        &[&REALLOC_CALLS],
    )
    .may_lack(ROUTINES, NO_CALL),
    in_mode_0(
        REALLOC,
        "new-handler.realloc-in-mode-0",
        "realloc calls no new handler in mode 0, the default",
        &[&REALLOC_DOES_NOT],
    )
    .may_lack(ROUTINES, NO_CALL),
    in_mode_1(
        RECALLOC,
        "new-handler.recalloc",
        "_recalloc calls the new handler in mode 1 when it finds no memory, as malloc does, and keeps the block",
        &[&RECALLOC_CALLS],
    )
    .may_lack(ROUTINES, NO_CALL),
    in_mode_0(
        RECALLOC,
        "new-handler.recalloc-in-mode-0",
        "_recalloc calls no new handler in mode 0, the default",
        &[&RECALLOC_DOES_NOT],
    )
    .may_lack(ROUTINES, NO_CALL),
    must(
        SET_NEW_HANDLER,
        "new-handler.gets-the-size",
        "the new handler gets the number of bytes that malloc must allocate",
        derived(
            Remarks,
            "the handler takes a size_t, which is the amount of space to allocate",
        ),
        &[&MALLOC_CALLS],
        &[none_of(WRONG_SIZES, REQUESTS)],
    )
    .may_lack(ROUTINES, NO_CALL),
];

/// The clause that a routine calls the new handler in mode 1.
const fn in_mode_1(
    routine: Routine,
    id: &'static str,
    promise: &'static str,
    cases: &'static [&'static Case],
) -> Clause {
    const FROM: &str = "in mode 1 the routine calls the new handler on a failure as the new operator does, and that tries again until the handler returns 0";
    let origin = derived(Remarks, FROM).and(&pages::SET_NEW_HANDLER, Remarks);
    must(routine, id, promise, origin, cases, IN_MODE_1)
}

/// The clause that a routine calls no new handler in mode 0.
const fn in_mode_0(
    routine: Routine,
    id: &'static str,
    promise: &'static str,
    cases: &'static [&'static Case],
) -> Clause {
    must(routine, id, promise, stated(Remarks), cases, IN_MODE_0)
}

const IN_MODE_1: &[Check] = &[
    every_call(NULL.sets_errno("ENOMEM")),
    none_of(UNEXPECTED, REQUESTS),
    none_of(CHANGED, REQUESTS),
];
const IN_MODE_0: &[Check] = &[
    every_call(NULL.sets_errno("ENOMEM")),
    none_of(CALLED, REQUESTS),
];

const ROUTINES: &[&str] = &[
    SET_NEW_MODE.name,
    QUERY_NEW_MODE.name,
    SET_NEW_HANDLER.name,
    QUERY_NEW_HANDLER.name,
    CALLNEWH.name,
];

/// Why there is nothing to keep without these routines.
const NO_CALL: &str = "the library does not export the routines that set a new handler and its mode, so no program can have malloc call one";

const NONE: i64 = WhichHandler::None as i64;
const FIRST: i64 = WhichHandler::First as i64;
const SECOND: i64 = WhichHandler::Second as i64;

const REQUESTS: &str = "requests";
const UNEXPECTED: &str = "requests with another number of calls of the handler";
const WRONG_SIZES: &str = "requests of which the handler got another size";
const CALLED: &str = "calls of the new handler";
const CHANGED: &str = "bytes changed";

static MODES: Case = Case::new(
    "new-handler-modes",
    "reads the mode, sets 1 twice and then 0, and reads it after each",
    |probe| {
        needs(probe, &["_set_new_mode", "_query_new_mode"])?;
        let mode = probe.crt.new_mode()?;
        probe.fact("mode at the start", mode.into())?;
        for (mode, name) in [(1, "1"), (1, "1 again"), (0, "0")] {
            probe.step(&format!("_set_new_mode({mode})"))?;
            let before = probe.crt.set_new_mode(mode)?;
            probe.fact(&format!("mode before {name}"), before.into())?;
            let after = probe.crt.new_mode()?;
            probe.fact(&format!("mode after {name}"), after.into())?;
        }
        Ok(())
    },
);

static INVALID_MODES: Case = Case::new(
    "new-handler-invalid-modes",
    "sets an invalid parameter handler that returns and the mode 1, and then modes that are neither 0 nor 1",
    |probe| {
        needs(probe, &["_set_new_mode", "_query_new_mode"])?;
        probe.crt.set_new_mode(1)?;
        probe.expect_invalid_parameters()?;
        for mode in [2, -1, i32::MAX, i32::MIN] {
            let arguments = mode.to_string();
            probe.step(&format!("_set_new_mode({arguments})"))?;
            probe.observe("_set_new_mode", &arguments, |crt| crt.set_new_mode(mode))?;
        }
        let after = probe.crt.new_mode()?;
        probe.fact("mode after invalid ones", after.into())
    },
);

/// What is set in turn, with the words for it.
const IN_TURN: [(WhichHandler, &str); 4] = [
    (WhichHandler::First, "the first"),
    (WhichHandler::Second, "the second"),
    (WhichHandler::None, "none"),
    (WhichHandler::First, "the first again"),
];

static SET: Case = Case::new(
    "new-handler-set",
    "sets a first new handler, a second, none, and the first again",
    |probe| {
        needs(probe, &["_set_new_handler"])?;
        for (new, name) in IN_TURN {
            let before = probe.crt.set_new_handler(new)?;
            probe.fact(&format!("handler before {name}"), before as i64)?;
        }
        Ok(())
    },
);

static QUERY: Case = Case::new(
    "new-handler-query",
    "reads the new handler, sets a first one, a second, none, and the first again, and reads it after each",
    |probe| {
        needs(probe, &["_set_new_handler", "_query_new_handler"])?;
        let handler = probe.crt.new_handler()?;
        probe.fact("handler at the start", handler as i64)?;
        for (new, name) in IN_TURN {
            probe.crt.set_new_handler(new)?;
            let after = probe.crt.new_handler()?;
            probe.fact(&format!("handler after {name}"), after as i64)?;
        }
        Ok(())
    },
);

static CALL: Case = Case::new(
    "new-handler-callnewh",
    "calls _callnewh without a new handler and with one that returns 1",
    |probe| {
        needs(probe, &["_callnewh", "_set_new_handler"])?;
        probe.crt.set_new_handler(WhichHandler::None)?;
        probe.step("_callnewh without a handler")?;
        let returned = probe.crt.callnewh(1)?;
        probe.fact("returned without a handler", returned.into())?;
        probe.crt.set_new_handler(WhichHandler::First)?;
        new_handler_returns(1);
        probe.step("_callnewh with a handler")?;
        let returned = probe.crt.callnewh(12_345)?;
        let (calls, _, size) = new_handler_calls();
        probe.fact("returned with a handler", returned.into())?;
        probe.fact("calls of the handler", calls.into())?;
        probe.fact("size that the handler got", size as i64)
    },
);

static MALLOC_CALLS: Case = Case::new(
    "new-handler-malloc",
    "requests more memory than any system has from malloc in mode 1, with a handler that lets it try again 0, 1 and 3 times, and without a handler",
    |probe| try_again(probe, "malloc", malloc),
);
static CALLOC_CALLS: Case = Case::new(
    "new-handler-calloc",
    "requests more memory than any system has from calloc in mode 1, with a handler that lets it try again 0, 1 and 3 times, and without a handler",
    |probe| try_again(probe, "calloc", calloc),
);
static REALLOC_CALLS: Case = Case::new(
    "new-handler-realloc",
    "requests more memory than any system has from realloc in mode 1, with a handler that lets it try again 0, 1 and 3 times, and without a handler",
    |probe| try_again(probe, "realloc", realloc),
);
static RECALLOC_CALLS: Case = Case::new(
    "new-handler-recalloc",
    "requests more memory than any system has from _recalloc in mode 1, with a handler that lets it try again 0, 1 and 3 times, and without a handler",
    |probe| try_again(probe, "_recalloc", recalloc),
);
static MALLOC_DOES_NOT: Case = Case::new(
    "new-handler-malloc-in-mode-0",
    "sets a new handler and requests more memory than any system has from malloc, before it sets a mode and in mode 0",
    |probe| never(probe, "malloc", malloc),
);
static CALLOC_DOES_NOT: Case = Case::new(
    "new-handler-calloc-in-mode-0",
    "sets a new handler and requests more memory than any system has from calloc, before it sets a mode and in mode 0",
    |probe| never(probe, "calloc", calloc),
);
static REALLOC_DOES_NOT: Case = Case::new(
    "new-handler-realloc-in-mode-0",
    "sets a new handler and requests more memory than any system has from realloc, before it sets a mode and in mode 0",
    |probe| never(probe, "realloc", realloc),
);
static RECALLOC_DOES_NOT: Case = Case::new(
    "new-handler-recalloc-in-mode-0",
    "sets a new handler and requests more memory than any system has from _recalloc, before it sets a mode and in mode 0",
    |probe| never(probe, "_recalloc", recalloc),
);

/// A request for this many bytes. It gets a block of 100 bytes, which a routine that
/// resizes takes.
type Request = fn(&Crt, &Block, usize) -> Result<Option<Block>, Stop>;

fn malloc(crt: &Crt, _: &Block, size: usize) -> Result<Option<Block>, Stop> {
    crt.malloc(size)
}

fn calloc(crt: &Crt, _: &Block, size: usize) -> Result<Option<Block>, Stop> {
    crt.calloc(1, size)
}

fn realloc(crt: &Crt, block: &Block, size: usize) -> Result<Option<Block>, Stop> {
    crt.realloc(block.again(), size).map(Result::ok)
}

fn recalloc(crt: &Crt, block: &Block, size: usize) -> Result<Option<Block>, Stop> {
    crt.recalloc(block.again(), 1, size).map(Result::ok)
}

/// Stops the case if the library lacks one of these.
fn needs(probe: &Probe, routines: &[&'static str]) -> Result<(), Stop> {
    match routines.iter().find(|routine| !probe.crt.has(routine)) {
        None => Ok(()),
        Some(routine) => Err(Stop::Missing(routine)),
    }
}

/// Sizes that no system has the memory for. `_HEAP_MAXREQ` allows them: the libraries
/// differ in whether they call the handler for a larger size.
fn sizes() -> impl Iterator<Item = usize> {
    UNAVAILABLE.into_iter().skip(2)
}

fn try_again(probe: &mut Probe, routine: &str, request: Request) -> Result<(), Stop> {
    needs(probe, &["_set_new_mode", "_set_new_handler"])?;
    let mut block = probe.crt.need(100)?;
    block.fill(1);
    probe.crt.set_new_mode(1)?;
    let (mut unexpected, mut wrong_sizes, mut changed, mut count) = (0, 0, 0, 0);
    for (handler, retries) in [
        (WhichHandler::First, 0),
        (WhichHandler::First, 1),
        (WhichHandler::Second, 3),
        (WhichHandler::None, 0),
    ] {
        probe.crt.set_new_handler(handler)?;
        for size in sizes() {
            new_handler_returns(retries);
            let arguments = format!("{size:#x}");
            probe.step(&format!(
                "{routine}({arguments}), to be tried again: {retries}"
            ))?;
            probe.observe(routine, &arguments, |crt| request(crt, &block, size))?;
            let (first, second, got) = new_handler_calls();
            let expected = match handler {
                WhichHandler::First => (retries + 1, 0),
                WhichHandler::Second => (0, retries + 1),
                _ => (0, 0),
            };
            unexpected += i64::from((first, second) != expected);
            wrong_sizes += i64::from(first + second > 0 && got != size);
            changed += block.lost_bytes(1) as i64;
            count += 1;
        }
    }
    probe.fact(UNEXPECTED, unexpected)?;
    probe.fact(WRONG_SIZES, wrong_sizes)?;
    probe.fact(CHANGED, changed)?;
    probe.fact(REQUESTS, count)?;
    probe.crt.free(block)
}

fn never(probe: &mut Probe, routine: &str, request: Request) -> Result<(), Stop> {
    needs(probe, &["_set_new_mode", "_set_new_handler"])?;
    let block = probe.crt.need(100)?;
    probe.crt.set_new_handler(WhichHandler::First)?;
    new_handler_returns(0);
    let mut count = 0;
    for is_mode_set in [false, true] {
        if is_mode_set {
            probe.crt.set_new_mode(1)?;
            probe.crt.set_new_mode(0)?;
        }
        for size in sizes() {
            let arguments = format!("{size:#x}");
            probe.step(&format!("{routine}({arguments}), mode set: {is_mode_set}"))?;
            probe.observe(routine, &arguments, |crt| request(crt, &block, size))?;
            count += 1;
        }
    }
    let (first, second, _) = new_handler_calls();
    probe.fact(CALLED, (first + second).into())?;
    probe.fact(REQUESTS, count)?;
    probe.crt.free(block)
}

/// Passes if each fact has its value.
fn are(seen: &Seen, expected: &[(&str, i64)]) -> Judgement {
    let mut observed = Vec::new();
    let mut holds = true;
    for (name, value) in expected {
        let Some(found) = seen.observation.fact(name) else {
            return Verdict::Error.because(format!("the case did not report the {name}"));
        };
        holds &= found == *value;
        observed.push(format!("{name}: {found}"));
    }
    Judgement::pass_if(holds, observed.join("; "))
}
