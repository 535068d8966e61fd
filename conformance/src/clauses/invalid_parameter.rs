//! `_set_invalid_parameter_handler` and its relatives: who is called when a
//! routine is given what its page does not allow. That the routines of the
//! heap call it stands with each of them.

use crate::clause::Section::Remarks;
use crate::clause::check::by;
use crate::clause::{Case, Clause, Judgement, Routine, Seen, Verdict, exported, must, stated};
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

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: _set_invalid_parameter_handler
    // EXPECTED: the loader finds a routine of that name
    exported(
        SET,
        "invalid-parameter.set-exported",
        "the library exports _set_invalid_parameter_handler",
    ),
    // PAGE: _get_invalid_parameter_handler
    // EXPECTED: the loader finds a routine of that name
    exported(
        GET,
        "invalid-parameter.get-exported",
        "the library exports _get_invalid_parameter_handler",
    ),
    // PAGE: _set_thread_local_invalid_parameter_handler
    // EXPECTED: the loader finds a routine of that name
    exported(
        SET_THREAD_LOCAL,
        "invalid-parameter.thread-local-set-exported",
        "the library exports _set_thread_local_invalid_parameter_handler",
    ),
    // PAGE: _get_thread_local_invalid_parameter_handler
    // EXPECTED: the loader finds a routine of that name
    exported(
        GET_THREAD_LOCAL,
        "invalid-parameter.thread-local-get-exported",
        "the library exports _get_thread_local_invalid_parameter_handler",
    ),
    // PAGE: _get_invalid_parameter_handler
    must(
        GET,
        "invalid-parameter.none-at-start",
        "before a handler is set, a null pointer is given",
        stated(Remarks),
        &[&SET_AND_GET],
        &[by("none", |seen| {
            is_handler(seen, &[("at the start", WhichHandler::None)])
        })],
    ),
    // PAGE: _set_invalid_parameter_handler
    must(
        SET,
        "invalid-parameter.set-gives-the-previous",
        "setting a handler gives the one before it, also when none is set in its place",
        stated(Remarks),
        &[&SET_AND_GET],
        &[by(
            "none, then the first, then the second, then none",
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
    // PAGE: _get_invalid_parameter_handler
    must(
        GET,
        "invalid-parameter.get-gives-the-current",
        "it gives the handler that is set",
        stated(Remarks),
        &[&SET_AND_GET],
        &[by(
            "the first, the second, and none after none was set",
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
    // PAGE: _set_invalid_parameter_handler
    must(
        SET,
        "invalid-parameter.for-all-threads",
        "the handler is global: it is called for a wrong argument in another thread too",
        stated(Remarks),
        &[&CALLED],
        &[by(
            "called once for each wrong argument, here and there",
            |seen| is_called(seen, &[("here", (1, 0)), ("in another thread", (1, 0))]),
        )],
    ),
    // PAGE: _set_thread_local_invalid_parameter_handler
    must(
        SET_THREAD_LOCAL,
        "invalid-parameter.thread-local-comes-first",
        "a thread's own handler is called instead of the global one",
        stated(Remarks),
        &[&THREAD_LOCAL],
        &[by("only the thread's own called", |seen| {
            is_called(seen, &[("with its own", (0, 1))])
        })],
    ),
    // PAGE: _set_thread_local_invalid_parameter_handler
    must(
        SET_THREAD_LOCAL,
        "invalid-parameter.thread-local-is-the-threads",
        "it is called in that thread only, and the global one again when it is taken away",
        stated(Remarks),
        &[&THREAD_LOCAL],
        &[by(
            "the global one called in another thread, and here afterwards",
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
    // PAGE: _get_thread_local_invalid_parameter_handler
    must(
        SET_THREAD_LOCAL,
        "invalid-parameter.thread-local-set-and-get",
        "setting a thread's own handler gives the one before it, getting gives the one that is set, none at the start and in another thread",
        stated(Remarks),
        &[&THREAD_LOCAL],
        &[by(
            "none, the second, none in another thread, none again",
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
    "sets a first handler, a second, none and the first again, and asks each time which one is set",
    set_and_get,
);

static CALLED: Case = Case::new(
    "invalid-parameter-called",
    "sets a handler and calls _msize without a block, here and in another thread",
    called,
);

static THREAD_LOCAL: Case = Case::new(
    "invalid-parameter-thread-local",
    "sets a global handler and one of this thread's own, calls _msize without a block here and in another thread, and takes its own away",
    thread_local,
);

fn note(probe: &mut Probe, when: &str, which: WhichHandler) -> Result<(), Stop> {
    probe.fact(&format!("handler {when}"), which as i64)
}

fn set_and_get(probe: &mut Probe) -> Result<(), Stop> {
    use WhichHandler::{First, None, Second};
    let at_start = probe.crt.get_handler()?;
    note(probe, "at the start", at_start)?;
    for (new, before, after) in [
        (First, "before the first", "after the first"),
        (Second, "before the second", "after the second"),
        (None, "before none", "after none"),
        (First, "before the first again", "after the first again"),
    ] {
        let previous = probe.crt.set_handler(new)?;
        note(probe, before, previous)?;
        let current = probe.crt.get_handler()?;
        note(probe, after, current)?;
    }
    Ok(())
}

/// How often each handler is called by a routine given what it does not allow.
fn provoke(crt: &Crt) -> Result<(u32, u32), Stop> {
    let before = handler_calls();
    crt.msize(&Block::null())?;
    let after = handler_calls();
    Ok((after.0 - before.0, after.1 - before.1))
}

fn provoke_in_a_thread(crt: &Crt) -> Result<(u32, u32), Stop> {
    thread::scope(|scope| {
        let other = scope.spawn(|| provoke(crt));
        other.join().expect("the second thread does not panic")
    })
}

fn note_calls(probe: &mut Probe, when: &str, calls: (u32, u32)) -> Result<(), Stop> {
    probe.fact(&format!("first handler called {when}"), calls.0.into())?;
    probe.fact(&format!("second handler called {when}"), calls.1.into())
}

fn called(probe: &mut Probe) -> Result<(), Stop> {
    probe.crt.set_handler(WhichHandler::First)?;
    probe.step("_msize(NULL) here")?;
    let calls = provoke(&probe.crt)?;
    note_calls(probe, "here", calls)?;
    probe.step("_msize(NULL) in another thread")?;
    let calls = provoke_in_a_thread(&probe.crt)?;
    note_calls(probe, "in another thread", calls)
}

fn thread_local(probe: &mut Probe) -> Result<(), Stop> {
    probe.crt.set_handler(WhichHandler::First)?;
    let before = probe.crt.set_thread_handler(WhichHandler::Second)?;
    note(probe, "before its own", before)?;
    let own = probe.crt.get_thread_handler()?;
    note(probe, "its own", own)?;
    let crt = &probe.crt;
    let other = thread::scope(|scope| {
        let other = scope.spawn(|| crt.get_thread_handler());
        other.join().expect("the second thread does not panic")
    })?;
    note(probe, "its own in another thread", other)?;
    probe.step("_msize(NULL) with a handler of the thread's own")?;
    let calls = provoke(&probe.crt)?;
    note_calls(probe, "with its own", calls)?;
    probe.step("_msize(NULL) in another thread")?;
    let calls = provoke_in_a_thread(&probe.crt)?;
    note_calls(probe, "in another thread", calls)?;
    let before = probe.crt.set_thread_handler(WhichHandler::None)?;
    note(probe, "before it was taken away", before)?;
    let own = probe.crt.get_thread_handler()?;
    note(probe, "its own afterwards", own)?;
    probe.step("_msize(NULL) after the thread's own handler was taken away")?;
    let calls = provoke(&probe.crt)?;
    note_calls(probe, "after its own was taken away", calls)
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
