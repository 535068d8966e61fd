//! `errno`, `_doserrno` and their accessors, and the texts for error numbers.
//! What each routine does to them stands with the routine.

use crate::clause::Section::Remarks;
use crate::clause::check::{by, every_call, none_of, one_of};
use crate::clause::{Case, Clause, Judgement, Routine, Seen, exported, must, should, stated};
use crate::clauses::codes::{EINVAL, ZERO};
use crate::clauses::pages;
use heapmin_harness::probe::crt::Crt;
use heapmin_harness::probe::{ErrorState, Probe, Stop};
use std::thread;

const ERRNO: Routine = Routine {
    name: "_errno",
    page: &pages::ERRNO,
};
const DOSERRNO: Routine = Routine {
    name: "__doserrno",
    page: &pages::ERRNO,
};
const GET_ERRNO: Routine = Routine {
    name: "_get_errno",
    page: &pages::GET_ERRNO,
};
const SET_ERRNO: Routine = Routine {
    name: "_set_errno",
    page: &pages::SET_ERRNO,
};
const GET_DOSERRNO: Routine = Routine {
    name: "_get_doserrno",
    page: &pages::GET_DOSERRNO,
};
const SET_DOSERRNO: Routine = Routine {
    name: "_set_doserrno",
    page: &pages::SET_DOSERRNO,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: errno
    // EXPECTED: the loader finds a routine named _errno
    exported(
        ERRNO,
        "errno.exported",
        "the library exports _errno, which is behind the macro errno",
    ),
    // PAGE: errno
    // EXPECTED: the loader finds a routine named __doserrno
    exported(
        DOSERRNO,
        "errno.doserrno-exported",
        "the library exports __doserrno, which is behind the macro _doserrno",
    ),
    // PAGE: errno
    must(
        ERRNO,
        "errno.zero-at-start",
        "errno and _doserrno are 0 when a program starts",
        stated(Remarks),
        &[&START],
        &[by("0 and 0, before any other call", |seen| {
            zero(seen, "at the start")
        })],
    ),
    // PAGE: errno
    should(
        ERRNO,
        "errno.zero-in-a-new-thread",
        "they are 0 in a new thread, whatever they are in the others",
        stated(Remarks),
        &[&THREADS],
        &[by("0 and 0", |seen| zero(seen, "in a new thread"))],
    ),
    // PAGE: errno
    must(
        ERRNO,
        "errno.per-thread",
        "each thread has an errno and a _doserrno of its own",
        stated(Remarks),
        &[&THREADS],
        &[by(
            "the values of the first thread as they were set, after a second has set its own",
            per_thread,
        )],
    ),
    // PAGE: errno, strerror
    // EXPECTED: a text for each, not that of an unknown error, no two alike
    must(
        ERRNO,
        "errno.text-for-enosys",
        "each errno value has a message in _sys_errlist: ENOSYS, ENOMEM and EINVAL too",
        stated(Remarks),
        &[&TEXTS],
        &[none_of(WITHOUT_TEXT, NUMBERS)],
    ),
    // PAGE: _get_errno
    // EXPECTED: the loader finds a routine named _get_errno
    exported(
        GET_ERRNO,
        "get-errno.exported",
        "the library exports _get_errno",
    ),
    // PAGE: _get_errno
    must(
        GET_ERRNO,
        "get-errno.gets-the-value",
        "it returns 0 and gives the value that errno has",
        stated(Remarks),
        &[&GET_AND_SET],
        &[none_of(NOT_GOT, VALUES), every_call(one_of(&[ZERO]))],
    ),
    // PAGE: _get_errno, Parameter validation
    // EXPECTED: the handler called, EINVAL (22), errno EINVAL
    must(
        GET_ERRNO,
        "get-errno.null-is-einval",
        "without a place for the value it calls the invalid parameter handler, sets errno to EINVAL and returns EINVAL",
        stated(Remarks),
        &[&GET_NULL],
        &[every_call(
            one_of(&[EINVAL]).calls_the_handler().sets_errno("EINVAL"),
        )],
    ),
    // PAGE: _set_errno
    // EXPECTED: the loader finds a routine named _set_errno
    exported(
        SET_ERRNO,
        "set-errno.exported",
        "the library exports _set_errno",
    ),
    // PAGE: _set_errno
    must(
        SET_ERRNO,
        "set-errno.sets-the-value",
        "it returns 0, and errno has the value",
        stated(Remarks),
        &[&GET_AND_SET],
        &[none_of(NOT_SET, VALUES), every_call(one_of(&[ZERO]))],
    ),
    // PAGE: _get_doserrno
    // EXPECTED: the loader finds a routine named _get_doserrno
    exported(
        GET_DOSERRNO,
        "get-doserrno.exported",
        "the library exports _get_doserrno",
    ),
    // PAGE: _get_doserrno
    must(
        GET_DOSERRNO,
        "get-doserrno.gets-the-value",
        "it returns 0 and gives the value that _doserrno has",
        stated(Remarks),
        &[&GET_AND_SET_DOSERRNO],
        &[none_of(NOT_GOT, VALUES), every_call(one_of(&[ZERO]))],
    ),
    // PAGE: _get_doserrno, Parameter validation
    // EXPECTED: the handler called, EINVAL (22), errno EINVAL
    must(
        GET_DOSERRNO,
        "get-doserrno.null-is-einval",
        "without a place for the value it calls the invalid parameter handler, sets errno to EINVAL and returns EINVAL",
        stated(Remarks),
        &[&GET_DOSERRNO_NULL_CASE],
        &[every_call(
            one_of(&[EINVAL]).calls_the_handler().sets_errno("EINVAL"),
        )],
    ),
    // PAGE: _set_doserrno
    // EXPECTED: the loader finds a routine named _set_doserrno
    exported(
        SET_DOSERRNO,
        "set-doserrno.exported",
        "the library exports _set_doserrno",
    ),
    // PAGE: _set_doserrno
    must(
        SET_DOSERRNO,
        "set-doserrno.sets-the-value",
        "it returns 0, and _doserrno has the value",
        stated(Remarks),
        &[&GET_AND_SET_DOSERRNO],
        &[none_of(NOT_SET, VALUES), every_call(one_of(&[ZERO]))],
    ),
    // PAGE: _set_errno
    should(
        SET_ERRNO,
        "set-errno.keeps-doserrno",
        "the two values are two things: setting errno leaves _doserrno alone",
        stated(Remarks),
        &[&GET_AND_SET],
        &[by("_doserrno as before", keeps_doserrno)],
    ),
];

static START: Case = Case::new(
    "errno-start",
    "reads errno and _doserrno before any other call",
    |probe| {
        let values = read(&probe.crt)?;
        report(probe, "at the start", values)
    },
);

static THREADS: Case = Case::new(
    "errno-threads",
    "sets both here, reads and sets them in a new thread, and reads them here again",
    threads,
);

static TEXTS: Case = Case::new(
    "errno-texts",
    "asks for the texts of ENOSYS, ENOMEM and EINVAL, and of a number that is no error's",
    texts,
);

static GET_AND_SET: Case = Case::new(
    "errno-get-and-set",
    "sets errno to several values by each way there is, and reads it by the other",
    get_and_set,
);

static GET_NULL: Case = Case::new(
    "get-errno-null",
    "sets an invalid parameter handler that goes on, and calls _get_errno with nowhere to put the value",
    |probe| {
        probe.expect_invalid_parameters()?;
        probe.observe("_get_errno", "NULL", |crt| crt.get_errno_null())?;
        Ok(())
    },
);

static GET_AND_SET_DOSERRNO: Case = Case::new(
    "doserrno-get-and-set",
    "sets _doserrno to several values by each way there is, and reads it by the other",
    get_and_set_doserrno,
);

static GET_DOSERRNO_NULL_CASE: Case = Case::new(
    "get-doserrno-null",
    "sets an invalid parameter handler that goes on, and calls _get_doserrno with nowhere to put the value",
    |probe| {
        probe.expect_invalid_parameters()?;
        probe.observe("_get_doserrno", "NULL", |crt| crt.get_doserrno_null())?;
        Ok(())
    },
);

const WITHOUT_TEXT: &str = "numbers without a text of their own";
const NUMBERS: &str = "numbers";
const NOT_GOT: &str = "values read wrongly";
const NOT_SET: &str = "values set wrongly";
const VALUES: &str = "values";

/// Both values of this thread.
fn read(crt: &Crt) -> Result<(i32, u32), Stop> {
    if !crt.has("_errno") {
        return Err(Stop::Missing("_errno"));
    }
    let errno = crt.errno().ok_or(Stop::Missing("_errno"))?;
    Ok((errno, crt.doserrno().unwrap_or(0)))
}

fn report(probe: &mut Probe, when: &str, (errno, doserrno): (i32, u32)) -> Result<(), Stop> {
    probe.fact(&format!("errno {when}"), errno.into())?;
    probe.fact(&format!("_doserrno {when}"), doserrno.into())
}

fn zero(seen: &Seen, when: &str) -> Judgement {
    let fact = |name: &str| {
        let name = format!("{name} {when}");
        seen.observation.fact(&name).unwrap_or(-1)
    };
    let (errno, doserrno) = (fact("errno"), fact("_doserrno"));
    let observed = format!("errno {errno}, _doserrno {doserrno} {when}");
    Judgement::pass_if(errno == 0 && doserrno == 0, observed)
}

const HERE: (i32, u32) = (77, 54_321);
const THERE: (i32, u32) = (40, 120);

fn threads(probe: &mut Probe) -> Result<(), Stop> {
    let crt = &probe.crt;
    read(crt)?;
    crt.set_error_values(HERE.0, HERE.1);
    let (there, at_first) = thread::scope(|scope| {
        let other = scope.spawn(|| {
            let at_first = read(crt);
            crt.set_error_values(THERE.0, THERE.1);
            (read(crt), at_first)
        });
        other.join().expect("the second thread does not panic")
    });
    let here = read(crt)?;
    report(probe, "in a new thread", at_first?)?;
    report(probe, "there", there?)?;
    report(probe, "here", here)
}

fn per_thread(seen: &Seen) -> Judgement {
    let fact = |name| seen.observation.fact(name).unwrap_or(-1);
    let (errno, doserrno) = (fact("errno here"), fact("_doserrno here"));
    // A library without _doserrno reads as 0 everywhere.
    let same = |value: i64, set: u32| value == i64::from(set) || fact("_doserrno there") == 0;
    Judgement::pass_if(
        errno == i64::from(HERE.0) && same(doserrno, HERE.1),
        format!(
            "errno {errno} of {}, _doserrno {doserrno} of {}",
            HERE.0, HERE.1
        ),
    )
}

fn texts(probe: &mut Probe) -> Result<(), Stop> {
    // Microsoft's numbers: EINVAL, ENOMEM, ENOSYS, and none of them.
    let unknown = probe.crt.error_text(10_000)?;
    let mut texts = Vec::new();
    for number in [22, 12, 40] {
        let text = probe.crt.error_text(number)?;
        if !text.is_empty() && text != unknown && !texts.contains(&text) {
            texts.push(text);
        }
    }
    probe.fact(WITHOUT_TEXT, 3 - texts.len() as i64)?;
    probe.fact(NUMBERS, 3)
}

const SOME: [i32; 5] = [0, 2, 22, 40, 12_345];

fn get_and_set(probe: &mut Probe) -> Result<(), Stop> {
    let (mut not_got, mut not_set) = (0, 0);
    for value in SOME {
        let mut got = 0;
        let start = ErrorState {
            errno: value,
            ..ErrorState::MARKED
        };
        probe.observe_from(start, "_get_errno", "&value", |crt| {
            let (returned, value) = crt.get_errno()?;
            got = value;
            Ok(returned)
        })?;
        not_got += i64::from(got != value);
        let mut set = None;
        probe.observe("_set_errno", &value.to_string(), |crt| {
            let returned = crt.call_set_errno(value)?;
            set = crt.errno();
            Ok(returned)
        })?;
        not_set += i64::from(set != Some(value));
    }
    probe.fact(NOT_GOT, not_got)?;
    probe.fact(NOT_SET, not_set)?;
    probe.fact(VALUES, SOME.len() as i64)
}

fn get_and_set_doserrno(probe: &mut Probe) -> Result<(), Stop> {
    let (mut not_got, mut not_set) = (0, 0);
    for value in SOME.map(|value| value as u32) {
        let mut got = 0;
        let start = ErrorState {
            doserrno: value,
            ..ErrorState::MARKED
        };
        probe.observe_from(start, "_get_doserrno", "&value", |crt| {
            let (returned, value) = crt.get_doserrno()?;
            got = value;
            Ok(returned)
        })?;
        not_got += i64::from(got != value);
        let mut set = None;
        probe.observe("_set_doserrno", &value.to_string(), |crt| {
            let returned = crt.call_set_doserrno(value)?;
            set = crt.doserrno();
            Ok(returned)
        })?;
        not_set += i64::from(set != Some(value));
    }
    probe.fact(NOT_GOT, not_got)?;
    probe.fact(NOT_SET, not_set)?;
    probe.fact(VALUES, SOME.len() as i64)
}

fn keeps_doserrno(seen: &Seen) -> Judgement {
    let mut calls = seen.observation.calls("_set_errno");
    let changed = calls.find(|call| call.doserrno.is_some_and(|(before, after)| before != after));
    match changed {
        Some(call) => Judgement::fail(format!("{call}, _doserrno changed")),
        None => Judgement::pass("_doserrno as before"),
    }
}
