//! `errno`, `_doserrno` and their accessors, and the texts for error numbers.
//! What each routine does to them stands with the routine.

use super::exported::{LOAD, exported};
use crate::calls::{every, none_of};
use crate::clause::{Case, Clause, Judgement, Level, Seen};
use heapmin_harness::probe::crt::Crt;
use heapmin_harness::probe::{ErrorState, Probe, Stop};
use std::thread;

/// The clauses, in the order of the pages.
pub static CLAUSES: [&Clause; 17] = [
    &ERRNO_EXPORTED,
    &DOSERRNO_EXPORTED,
    &ZERO_AT_START,
    &ZERO_IN_NEW_THREAD,
    &PER_THREAD,
    &TEXT_FOR_ENOSYS,
    &GET_ERRNO_EXPORTED,
    &GET_ERRNO,
    &GET_ERRNO_NULL,
    &SET_ERRNO_EXPORTED,
    &SET_ERRNO,
    &GET_DOSERRNO_EXPORTED,
    &GET_DOSERRNO,
    &GET_DOSERRNO_NULL,
    &SET_DOSERRNO_EXPORTED,
    &SET_DOSERRNO,
    &SET_ERRNO_KEEPS_DOSERRNO,
];

static ERRNO_EXPORTED: Clause = Clause {
    id: "errno.exported",
    routine: "_errno",
    level: Level::Must,
    page: "errno",
    summary: "the library exports _errno, which is behind the macro errno",
    expects: "the loader finds a routine named _errno",
    cases: &[&LOAD],
    judge: exported,
};

static DOSERRNO_EXPORTED: Clause = Clause {
    id: "errno.doserrno-exported",
    routine: "__doserrno",
    level: Level::Must,
    page: "errno",
    summary: "the library exports __doserrno, which is behind the macro _doserrno",
    expects: "the loader finds a routine named __doserrno",
    cases: &[&LOAD],
    judge: exported,
};

static ZERO_AT_START: Clause = Clause {
    id: "errno.zero-at-start",
    routine: "_errno",
    level: Level::Must,
    page: "errno",
    summary: "errno and _doserrno are 0 when a program starts",
    expects: "0 and 0, before any other call",
    cases: &[&START],
    judge: |seen| zero(seen, "at the start"),
};

static ZERO_IN_NEW_THREAD: Clause = Clause {
    id: "errno.zero-in-a-new-thread",
    routine: "_errno",
    level: Level::Should,
    page: "errno",
    summary: "they are 0 in a new thread, whatever they are in the others",
    expects: "0 and 0",
    cases: &[&THREADS],
    judge: |seen| zero(seen, "in a new thread"),
};

static PER_THREAD: Clause = Clause {
    id: "errno.per-thread",
    routine: "_errno",
    level: Level::Must,
    page: "errno",
    summary: "each thread has an errno and a _doserrno of its own",
    expects: "the values of the first thread as they were set, after a second has set its own",
    cases: &[&THREADS],
    judge: per_thread,
};

static TEXT_FOR_ENOSYS: Clause = Clause {
    id: "errno.text-for-enosys",
    routine: "_errno",
    level: Level::Must,
    page: "errno, strerror",
    summary: "each errno value has a message in _sys_errlist: ENOSYS, ENOMEM and EINVAL too",
    expects: "a text for each, not that of an unknown error, no two alike",
    cases: &[&TEXTS],
    judge: |seen| none_of(seen, WITHOUT_TEXT, NUMBERS),
};

static GET_ERRNO_EXPORTED: Clause = Clause {
    id: "get-errno.exported",
    routine: "_get_errno",
    level: Level::Must,
    page: "_get_errno",
    summary: "the library exports _get_errno",
    expects: "the loader finds a routine named _get_errno",
    cases: &[&LOAD],
    judge: exported,
};

static GET_ERRNO: Clause = Clause {
    id: "get-errno.gets-the-value",
    routine: "_get_errno",
    level: Level::Must,
    page: "_get_errno",
    summary: "it returns 0 and gives the value that errno has",
    expects: "0, and each value that was set",
    cases: &[&GET_AND_SET],
    judge: |seen| agrees(seen, "_get_errno", NOT_GOT),
};

static GET_ERRNO_NULL: Clause = Clause {
    id: "get-errno.null-is-einval",
    routine: "_get_errno",
    level: Level::Must,
    page: "_get_errno, Parameter validation",
    summary: "without a place for the value it calls the invalid parameter handler, sets errno to EINVAL and returns EINVAL",
    expects: "the handler called, EINVAL (22), errno EINVAL",
    cases: &[&GET_NULL],
    judge: |seen| {
        let calls = every("_get_errno").calls_the_handler();
        calls.returns(&[22]).sets_errno("EINVAL").judge(seen)
    },
};

static SET_ERRNO_EXPORTED: Clause = Clause {
    id: "set-errno.exported",
    routine: "_set_errno",
    level: Level::Must,
    page: "_set_errno",
    summary: "the library exports _set_errno",
    expects: "the loader finds a routine named _set_errno",
    cases: &[&LOAD],
    judge: exported,
};

static SET_ERRNO: Clause = Clause {
    id: "set-errno.sets-the-value",
    routine: "_set_errno",
    level: Level::Must,
    page: "_set_errno",
    summary: "it returns 0, and errno has the value",
    expects: "0, and errno as it was set",
    cases: &[&GET_AND_SET],
    judge: |seen| agrees(seen, "_set_errno", NOT_SET),
};

static GET_DOSERRNO_EXPORTED: Clause = Clause {
    id: "get-doserrno.exported",
    routine: "_get_doserrno",
    level: Level::Must,
    page: "_get_doserrno",
    summary: "the library exports _get_doserrno",
    expects: "the loader finds a routine named _get_doserrno",
    cases: &[&LOAD],
    judge: exported,
};

static GET_DOSERRNO: Clause = Clause {
    id: "get-doserrno.gets-the-value",
    routine: "_get_doserrno",
    level: Level::Must,
    page: "_get_doserrno",
    summary: "it returns 0 and gives the value that _doserrno has",
    expects: "0, and each value that was set",
    cases: &[&GET_AND_SET_DOSERRNO],
    judge: |seen| agrees(seen, "_get_doserrno", NOT_GOT),
};

static GET_DOSERRNO_NULL: Clause = Clause {
    id: "get-doserrno.null-is-einval",
    routine: "_get_doserrno",
    level: Level::Must,
    page: "_get_doserrno, Parameter validation",
    summary: "without a place for the value it calls the invalid parameter handler, sets errno to EINVAL and returns EINVAL",
    expects: "the handler called, EINVAL (22), errno EINVAL",
    cases: &[&GET_DOSERRNO_NULL_CASE],
    judge: |seen| {
        let calls = every("_get_doserrno").calls_the_handler();
        calls.returns(&[22]).sets_errno("EINVAL").judge(seen)
    },
};

static SET_DOSERRNO_EXPORTED: Clause = Clause {
    id: "set-doserrno.exported",
    routine: "_set_doserrno",
    level: Level::Must,
    page: "_set_doserrno",
    summary: "the library exports _set_doserrno",
    expects: "the loader finds a routine named _set_doserrno",
    cases: &[&LOAD],
    judge: exported,
};

static SET_DOSERRNO: Clause = Clause {
    id: "set-doserrno.sets-the-value",
    routine: "_set_doserrno",
    level: Level::Must,
    page: "_set_doserrno",
    summary: "it returns 0, and _doserrno has the value",
    expects: "0, and _doserrno as it was set",
    cases: &[&GET_AND_SET_DOSERRNO],
    judge: |seen| agrees(seen, "_set_doserrno", NOT_SET),
};

static SET_ERRNO_KEEPS_DOSERRNO: Clause = Clause {
    id: "set-errno.keeps-doserrno",
    routine: "_set_errno",
    level: Level::Should,
    page: "_set_errno",
    summary: "the two values are two things: setting errno leaves _doserrno alone",
    expects: "_doserrno as before",
    cases: &[&GET_AND_SET],
    judge: keeps_doserrno,
};

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

/// The routine returned 0 each time, and the values agreed.
fn agrees(seen: &Seen, routine: &'static str, wrong: &str) -> Judgement {
    match seen.observation.fact(wrong) {
        Some(0) => every(routine).returns(&[0]).judge(seen),
        _ => none_of(seen, wrong, VALUES),
    }
}

fn keeps_doserrno(seen: &Seen) -> Judgement {
    let mut calls = seen.observation.calls("_set_errno");
    let changed = calls.find(|call| call.doserrno.is_some_and(|(before, after)| before != after));
    match changed {
        Some(call) => Judgement::fail(format!("{call}, _doserrno changed")),
        None => Judgement::pass("_doserrno as before"),
    }
}
