//! `errno`, `_doserrno`, the routines that read and set them, and the messages
//! for error numbers. What another routine does to `errno` is in that routine's
//! file.

use crate::clause::Section::{Introduction, Parameters, Remarks, ReturnValue, Syntax};
use crate::clause::check::{by, every_call, none_of, one_of};
use crate::clause::{
    Case, Clause, Judgement, Routine, Seen, Verdict, derived, must, should, stated,
};
use crate::clauses::codes::{EINVAL, ZERO};
use crate::clauses::exported::{EXPORTED, LOAD, exported};
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

pub(super) static CLAUSES: &[Clause] = &[
    must(
        ERRNO,
        "errno.exported",
        "the library exports _errno, which the macro errno calls",
        derived(Syntax, "the macro errno calls the routine"),
        &[&LOAD],
        &[EXPORTED],
    ),
    must(
        DOSERRNO,
        "errno.doserrno-exported",
        "the library exports __doserrno, which the macro _doserrno calls",
        derived(Syntax, "the macro _doserrno calls the routine"),
        &[&LOAD],
        &[EXPORTED],
    ),
    must(
        ERRNO,
        "errno.zero-at-start",
        "errno and _doserrno are 0 when a program starts",
        stated(Remarks),
        &[&START],
        &[by("errno 0 and _doserrno 0 before any other call", |seen| {
            zero(seen, "at the start")
        })],
    ),
    should(
        ERRNO,
        "errno.zero-in-a-new-thread",
        "errno and _doserrno are 0 in a new thread, whatever their values in other threads are",
        derived(
            Remarks,
            "both are 0 when a program starts, which this suite expects of a thread too",
        ),
        &[&THREADS],
        &[by("errno 0 and _doserrno 0 in the new thread", |seen| {
            zero(seen, "in a new thread")
        })],
    ),
    must(
        ERRNO,
        "errno.per-thread",
        "each thread has its own errno and its own _doserrno",
        derived(
            Remarks,
            "a program is to read errno right after a call, which works only if other threads do not change it",
        )
        .and(&pages::POSIX_ERRNO, Introduction),
        &[&THREADS],
        &[by(
            "the values that the first thread set, after a second thread set others",
            per_thread,
        )],
    ),
    must(
        ERRNO,
        "errno.text-for-enosys",
        "the library has different messages for ENOSYS, ENOMEM and EINVAL, and none of them is the message for an unknown number",
        derived(
            Remarks,
            "each errno value has an error message, and strerror maps the number to it",
        )
        .and(&pages::STRERROR, Remarks),
        &[&TEXTS],
        &[none_of(WITHOUT_TEXT, NUMBERS)],
    ),
    exported(
        GET_ERRNO,
        "get-errno.exported",
        "the library exports _get_errno",
    ),
    must(
        GET_ERRNO,
        "get-errno.gets-the-value",
        "_get_errno stores the value of errno and returns 0",
        stated(Parameters).and(&pages::GET_ERRNO, ReturnValue),
        &[&GET_AND_SET],
        &[none_of(READ_WRONGLY, VALUES), every_call(one_of(&[ZERO]))],
    ),
    must(
        GET_ERRNO,
        "get-errno.null-is-einval",
        "_get_errno calls the invalid parameter handler, sets errno to EINVAL and returns EINVAL when it is given NULL",
        stated(ReturnValue).and(&pages::PARAMETER_VALIDATION, Introduction),
        &[&GET_ERRNO_NULL],
        &[every_call(
            one_of(&[EINVAL]).calls_the_handler().sets_errno("EINVAL"),
        )],
    ),
    exported(
        SET_ERRNO,
        "set-errno.exported",
        "the library exports _set_errno",
    ),
    must(
        SET_ERRNO,
        "set-errno.sets-the-value",
        "_set_errno sets errno to the value and returns 0",
        stated(Parameters).and(&pages::SET_ERRNO, ReturnValue),
        &[&GET_AND_SET],
        &[none_of(SET_WRONGLY, VALUES), every_call(one_of(&[ZERO]))],
    ),
    exported(
        GET_DOSERRNO,
        "get-doserrno.exported",
        "the library exports _get_doserrno",
    ),
    must(
        GET_DOSERRNO,
        "get-doserrno.gets-the-value",
        "_get_doserrno stores the value of _doserrno and returns 0",
        stated(Parameters).and(&pages::GET_DOSERRNO, ReturnValue),
        &[&GET_AND_SET_DOSERRNO],
        &[none_of(READ_WRONGLY, VALUES), every_call(one_of(&[ZERO]))],
    ),
    must(
        GET_DOSERRNO,
        "get-doserrno.null-is-einval",
        "_get_doserrno calls the invalid parameter handler, sets errno to EINVAL and returns EINVAL when it is given NULL",
        stated(ReturnValue).and(&pages::PARAMETER_VALIDATION, Introduction),
        &[&GET_DOSERRNO_NULL],
        &[every_call(
            one_of(&[EINVAL]).calls_the_handler().sets_errno("EINVAL"),
        )],
    ),
    exported(
        SET_DOSERRNO,
        "set-doserrno.exported",
        "the library exports _set_doserrno",
    ),
    must(
        SET_DOSERRNO,
        "set-doserrno.sets-the-value",
        "_set_doserrno sets _doserrno to the value and returns 0",
        stated(Parameters).and(&pages::SET_DOSERRNO, ReturnValue),
        &[&GET_AND_SET_DOSERRNO],
        &[none_of(SET_WRONGLY, VALUES), every_call(one_of(&[ZERO]))],
    ),
    should(
        SET_ERRNO,
        "set-errno.keeps-doserrno",
        "_set_errno leaves _doserrno unchanged",
        derived(
            Introduction,
            "the routine sets the value of errno, and _doserrno is another variable",
        )
        .and(&pages::ERRNO, Syntax),
        &[&GET_AND_SET],
        &[by("_doserrno as before each call of _set_errno", keeps_doserrno)],
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
    "sets errno and _doserrno in the first thread, reads and sets them in a new thread, and reads them in the first again",
    |probe| {
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
    },
);

static TEXTS: Case = Case::new(
    "errno-texts",
    "reads the messages for ENOSYS, ENOMEM and EINVAL, and for a number that is no errno value",
    |probe| {
        // In Microsoft's numbering, 22 is EINVAL, 12 ENOMEM and 40 ENOSYS.
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
    },
);

static GET_AND_SET: Case = Case::new(
    "errno-get-and-set",
    "reads with _get_errno several values that the probe set, and sets the same values with _set_errno",
    |probe| {
        let (mut read_wrongly, mut set_wrongly) = (0, 0);
        for value in VALUES_TO_SET {
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
            read_wrongly += i64::from(got != value);
            let mut set = None;
            probe.observe("_set_errno", &value.to_string(), |crt| {
                let returned = crt.call_set_errno(value)?;
                set = crt.errno();
                Ok(returned)
            })?;
            set_wrongly += i64::from(set != Some(value));
        }
        report_wrong(probe, read_wrongly, set_wrongly)
    },
);

static GET_ERRNO_NULL: Case = Case::new(
    "get-errno-null",
    "sets an invalid parameter handler that returns, and calls _get_errno with NULL",
    |probe| {
        probe.expect_invalid_parameters()?;
        probe.observe("_get_errno", "NULL", |crt| crt.get_errno_null())?;
        Ok(())
    },
);

static GET_AND_SET_DOSERRNO: Case = Case::new(
    "doserrno-get-and-set",
    "reads with _get_doserrno several values that the probe set, and sets the same values with _set_doserrno",
    |probe| {
        let (mut read_wrongly, mut set_wrongly) = (0, 0);
        for value in VALUES_TO_SET.map(|value| value as u32) {
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
            read_wrongly += i64::from(got != value);
            let mut set = None;
            probe.observe("_set_doserrno", &value.to_string(), |crt| {
                let returned = crt.call_set_doserrno(value)?;
                set = crt.doserrno();
                Ok(returned)
            })?;
            set_wrongly += i64::from(set != Some(value));
        }
        report_wrong(probe, read_wrongly, set_wrongly)
    },
);

static GET_DOSERRNO_NULL: Case = Case::new(
    "get-doserrno-null",
    "sets an invalid parameter handler that returns, and calls _get_doserrno with NULL",
    |probe| {
        probe.expect_invalid_parameters()?;
        probe.observe("_get_doserrno", "NULL", |crt| crt.get_doserrno_null())?;
        Ok(())
    },
);

const WITHOUT_TEXT: &str = "numbers without a text of their own";
const NUMBERS: &str = "numbers";
const READ_WRONGLY: &str = "values read wrongly";
const SET_WRONGLY: &str = "values set wrongly";
const VALUES: &str = "values";

const VALUES_TO_SET: [i32; 5] = [0, 2, 22, 40, 12_345];

/// `errno` and `_doserrno` as the first thread sets them.
const HERE: (i32, u32) = (77, 54_321);
/// `errno` and `_doserrno` as the second thread sets them.
const THERE: (i32, u32) = (40, 120);

/// This thread's `errno` and `_doserrno`; 0 for a library without `_doserrno`.
fn read(crt: &Crt) -> Result<(i32, u32), Stop> {
    if !crt.has("_errno") {
        return Err(Stop::Missing("_errno"));
    }
    let no_place = || Stop::NotJudged("_errno returned NULL".into());
    let errno = crt.errno().ok_or_else(no_place)?;
    Ok((errno, crt.doserrno().unwrap_or(0)))
}

fn report(probe: &mut Probe, when: &str, (errno, doserrno): (i32, u32)) -> Result<(), Stop> {
    probe.fact(&format!("errno {when}"), errno.into())?;
    probe.fact(&format!("_doserrno {when}"), doserrno.into())
}

fn report_wrong(probe: &mut Probe, read_wrongly: i64, set_wrongly: i64) -> Result<(), Stop> {
    probe.fact(READ_WRONGLY, read_wrongly)?;
    probe.fact(SET_WRONGLY, set_wrongly)?;
    probe.fact(VALUES, VALUES_TO_SET.len() as i64)
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

fn keeps_doserrno(seen: &Seen) -> Judgement {
    let mut seen_any = false;
    for call in seen.observation.calls("_set_errno") {
        let Some((before, after)) = call.doserrno else {
            return seen.missing("__doserrno");
        };
        seen_any = true;
        if before != after {
            return Judgement::fail(format!("{call}, _doserrno changed"));
        }
    }
    match seen_any {
        true => Judgement::pass("_doserrno as before"),
        false => Verdict::Error.because("the case never called _set_errno"),
    }
}
