//! `_set_invalid_parameter_handler` and its relatives: they set and return the
//! handler that the library calls for an invalid argument. Which routine of the
//! heap calls it is in that routine's file.

use crate::clause::Section::{Remarks, ReturnValue};
use crate::clause::check::by;
use crate::clause::{Case, Clause, Judgement, Routine, Seen, Verdict, derived, must, stated};
use crate::clauses::exported::exported;
use crate::clauses::pages;
use heapmin_harness::probe::crt::{Block, Crt, WhichHandler, handler_calls};
use heapmin_harness::probe::{Probe, Stop};
use std::thread;

const SET: Routine = Routine {
    name: "_set_invalid_parameter_handler",
    page: &pages::SET_INVALID_PARAMETER_HANDLER,
};
const GET: Routine = Routine {
    name: "_get_invalid_parameter_handler",
    page: &pages::GET_INVALID_PARAMETER_HANDLER,
};
const SET_THREAD_LOCAL: Routine = Routine {
    name: "_set_thread_local_invalid_parameter_handler",
    page: &pages::SET_INVALID_PARAMETER_HANDLER,
};
const GET_THREAD_LOCAL: Routine = Routine {
    name: "_get_thread_local_invalid_parameter_handler",
    page: &pages::GET_INVALID_PARAMETER_HANDLER,
};

pub(super) static CLAUSES: &[Clause] = &[
    exported(
        SET,
        "invalid-parameter.set-exported",
        "the library exports _set_invalid_parameter_handler",
    ),
    exported(
        GET,
        "invalid-parameter.get-exported",
        "the library exports _get_invalid_parameter_handler",
    ),
    exported(
        SET_THREAD_LOCAL,
        "invalid-parameter.thread-local-set-exported",
        "the library exports _set_thread_local_invalid_parameter_handler",
    ),
    exported(
        GET_THREAD_LOCAL,
        "invalid-parameter.thread-local-get-exported",
        "the library exports _get_thread_local_invalid_parameter_handler",
    ),
    must(
        GET,
        "invalid-parameter.none-at-start",
        "_get_invalid_parameter_handler returns a null pointer before a handler is set",
        stated(ReturnValue),
        &[&SET_AND_GET],
        &[by("a null pointer at the start", |seen| {
            is_handler(seen, &[("at the start", WhichHandler::None)])
        })],
    ),
    must(
        SET,
        "invalid-parameter.set-gives-the-previous",
        "_set_invalid_parameter_handler returns the handler before the call, and a null pointer if none was set",
        derived(
            ReturnValue,
            "the routine returns the handler before the call, and a null pointer means that none is set",
        )
        .and(&pages::GET_INVALID_PARAMETER_HANDLER, ReturnValue),
        &[&SET_AND_GET],
        &[by(
            "a null pointer, then the first handler, then the second, then a null pointer",
            |seen| {
                is_handler(
                    seen,
                    &[
                        ("before the first", WhichHandler::None),
                        ("before the second", WhichHandler::First),
                        ("before none", WhichHandler::Second),
                        ("before the first again", WhichHandler::None),
                    ],
                )
            },
        )],
    ),
    must(
        GET,
        "invalid-parameter.get-gives-the-current",
        "_get_invalid_parameter_handler returns the handler that is set, and a null pointer after it is removed",
        stated(ReturnValue),
        &[&SET_AND_GET],
        &[by(
            "the first handler, then the second, then a null pointer",
            |seen| {
                is_handler(
                    seen,
                    &[
                        ("after the first", WhichHandler::First),
                        ("after the second", WhichHandler::Second),
                        ("after none", WhichHandler::None),
                    ],
                )
            },
        )],
    ),
    must(
        SET,
        "invalid-parameter.for-all-threads",
        "the library calls the global handler for an invalid argument in every thread",
        derived(
            Remarks,
            "the handler is global, and a thread uses another one only if it has its own",
        ),
        &[&CALLED],
        &[by(
            "the first handler called once in each of two threads",
            |seen| is_called(seen, &[("here", (1, 0)), ("in another thread", (1, 0))]),
        )],
    ),
    must(
        SET_THREAD_LOCAL,
        "invalid-parameter.thread-local-comes-first",
        "the library calls a thread's own handler instead of the global one",
        stated(Remarks),
        &[&THREAD_LOCAL],
        &[by("the thread's own handler called, the global one not", |seen| {
            is_called(seen, &[("with its own", (0, 1))])
        })],
    ),
    must(
        SET_THREAD_LOCAL,
        "invalid-parameter.thread-local-is-the-threads",
        "the library calls a thread's own handler in that thread only, and calls the global one there again after its own is removed",
        derived(
            Remarks,
            "a thread's own handler is for that thread, and is used instead of the global one if it is set",
        ),
        &[&THREAD_LOCAL],
        &[by(
            "the global handler called in another thread, and in this one after its own is removed",
            |seen| {
                is_called(
                    seen,
                    &[
                        ("in another thread", (1, 0)),
                        ("after its own was taken away", (1, 0)),
                    ],
                )
            },
        )],
    ),
    must(
        SET_THREAD_LOCAL,
        "invalid-parameter.thread-local-set-and-get",
        "_set_thread_local_invalid_parameter_handler returns the thread's own handler before the call, and _get_thread_local_invalid_parameter_handler the current one; both return a null pointer if the thread has none",
        stated(ReturnValue).and(&pages::GET_INVALID_PARAMETER_HANDLER, Remarks),
        &[&THREAD_LOCAL],
        &[by(
            "a null pointer before, the second handler while it is set, a null pointer in another thread and after it is removed",
            |seen| {
                is_handler(
                    seen,
                    &[
                        ("before its own", WhichHandler::None),
                        ("its own", WhichHandler::Second),
                        ("its own in another thread", WhichHandler::None),
                        ("before it was taken away", WhichHandler::Second),
                        ("its own afterwards", WhichHandler::None),
                    ],
                )
            },
        )],
    ),
];

static SET_AND_GET: Case = Case::new(
    "invalid-parameter-set-and-get",
    "sets a first handler, a second, none, and the first again, and reads after each which one is set",
    |probe| {
        use WhichHandler::{First, None, Second};
        let at_start = probe.crt.get_handler()?;
        record_handler(probe, "at the start", at_start)?;
        for (new, before, after) in [
            (First, "before the first", "after the first"),
            (Second, "before the second", "after the second"),
            (None, "before none", "after none"),
            (First, "before the first again", "after the first again"),
        ] {
            let previous = probe.crt.set_handler(new)?;
            record_handler(probe, before, previous)?;
            let current = probe.crt.get_handler()?;
            record_handler(probe, after, current)?;
        }
        Ok(())
    },
);

static CALLED: Case = Case::new(
    "invalid-parameter-called",
    "sets a handler and calls _msize with NULL, in this thread and in another",
    |probe| {
        probe.crt.set_handler(WhichHandler::First)?;
        probe.step("_msize(NULL) here")?;
        let calls = provoke(&probe.crt)?;
        record_calls(probe, "here", calls)?;
        probe.step("_msize(NULL) in another thread")?;
        let calls = in_a_thread(|| provoke(&probe.crt))?;
        record_calls(probe, "in another thread", calls)
    },
);

static THREAD_LOCAL: Case = Case::new(
    "invalid-parameter-thread-local",
    "sets a global handler and one for this thread, calls _msize with NULL in this thread and in another, removes the thread's handler, and calls _msize again",
    |probe| {
        probe.crt.set_handler(WhichHandler::First)?;
        let before = probe.crt.set_thread_handler(WhichHandler::Second)?;
        record_handler(probe, "before its own", before)?;
        let own = probe.crt.get_thread_handler()?;
        record_handler(probe, "its own", own)?;
        let other = in_a_thread(|| probe.crt.get_thread_handler())?;
        record_handler(probe, "its own in another thread", other)?;
        probe.step("_msize(NULL) with a handler of the thread's own")?;
        let calls = provoke(&probe.crt)?;
        record_calls(probe, "with its own", calls)?;
        probe.step("_msize(NULL) in another thread")?;
        let calls = in_a_thread(|| provoke(&probe.crt))?;
        record_calls(probe, "in another thread", calls)?;
        let before = probe.crt.set_thread_handler(WhichHandler::None)?;
        record_handler(probe, "before it was taken away", before)?;
        let own = probe.crt.get_thread_handler()?;
        record_handler(probe, "its own afterwards", own)?;
        probe.step("_msize(NULL) after the thread's own handler was taken away")?;
        let calls = provoke(&probe.crt)?;
        record_calls(probe, "after its own was taken away", calls)
    },
);

/// Returns how often a call with an invalid argument called each handler.
fn provoke(crt: &Crt) -> Result<(u32, u32), Stop> {
    let before = handler_calls();
    crt.msize(&Block::null())?;
    let after = handler_calls();
    Ok((after.0 - before.0, after.1 - before.1))
}

/// Runs this in another thread and returns its result.
fn in_a_thread<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let other = scope.spawn(run);
        other.join().expect("the second thread does not panic")
    })
}

fn record_handler(probe: &mut Probe, when: &str, which: WhichHandler) -> Result<(), Stop> {
    probe.fact(&format!("handler {when}"), which as i64)
}

fn record_calls(probe: &mut Probe, when: &str, calls: (u32, u32)) -> Result<(), Stop> {
    probe.fact(&format!("first handler called {when}"), calls.0.into())?;
    probe.fact(&format!("second handler called {when}"), calls.1.into())
}

fn is_handler(seen: &Seen, expected: &[(&str, WhichHandler)]) -> Judgement {
    const NAMES: [&str; 4] = ["none", "the first", "the second", "another"];
    let mut observed = Vec::new();
    let mut holds = true;
    for (when, which) in expected {
        let Some(found) = seen.observation.fact(&format!("handler {when}")) else {
            return Verdict::Error.because(format!("the case did not report the handler {when}"));
        };
        holds &= found == *which as i64;
        observed.push(format!("{}: {when}", NAMES[found.clamp(0, 3) as usize]));
    }
    Judgement::pass_if(holds, observed.join("; "))
}

fn is_called(seen: &Seen, expected: &[(&str, (i64, i64))]) -> Judgement {
    let mut observed = Vec::new();
    let mut holds = true;
    for (when, calls) in expected {
        let count = |which: &str| {
            let name = format!("{which} handler called {when}");
            seen.observation.fact(&name).unwrap_or(-1)
        };
        let found = (count("first"), count("second"));
        holds &= found == *calls;
        observed.push(format!(
            "first called {} times, second {} times, {when}",
            found.0, found.1
        ));
    }
    Judgement::pass_if(holds, observed.join("; "))
}
