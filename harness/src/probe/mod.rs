//! The probe: the process that loads a candidate and runs one case on it.
//!
//! It does not trust the candidate. It moves the pipe to its parent away from standard
//! input and output before it loads the candidate, and the parent measures memory while
//! the probe waits.

pub mod blocks;
mod calibration;
pub mod crt;
pub mod fault;
mod fence;
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64")
))]
mod filter;
mod host;
mod interpreter;
mod lasting;
pub mod pages;
mod pipe;
pub mod process;
mod stop;

use crate::memory::available_memory;
use crate::wire::job::{CALIBRATION, Job, MARK_VARIABLE, PROBE_COMMAND};
use crate::wire::observation::{Call, Event, HANDLER_SET};
use crate::wire::step::Step;
use crt::{Crt, Returned, Unusable, WhichHandler};
use fault::{Fault, Plan};
pub use host::{Child, in_a_fork, in_a_fork_within, read_memory, win32_heap_owns, win32_heaps};
pub use lasting::LastingThread;
use pipe::Pipe;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Why a case stops early. The probe reports each reason as an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The library does not have this routine.
    Missing(&'static str),
    /// The candidate returned null for a request of this many bytes.
    OutOfMemory(usize),
    /// The case does not apply to this candidate or system; the reason.
    NotApplicable(String),
    /// The case applies, and cannot run here; the reason.
    NotJudged(String),
    /// The probe itself failed: its parent has ended, or a system call failed; the reason.
    Failed(String),
}

/// The code of a case.
pub type Act = fn(&mut Probe) -> Result<(), Stop>;

/// The error values that a thread has before a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorState {
    /// `errno`.
    pub errno: i32,
    /// `_doserrno`.
    pub doserrno: u32,
    /// The system's last error.
    pub last_error: u32,
}

impl ErrorState {
    /// Values that no routine sets: any change shows.
    pub const MARKED: ErrorState = ErrorState {
        errno: 77,
        doserrno: 54_321,
        last_error: 0,
    };

    /// All zero, as in a program without an error so far.
    pub const CLEAR: ErrorState = ErrorState {
        errno: 0,
        doserrno: 0,
        last_error: 0,
    };
}

/// How the system calls fared that a [`Plan`] counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Met {
    /// Their number.
    pub seen: u32,
    /// The number of them that were refused.
    pub refused: u32,
}

/// What a case works with: the candidate, and the channel to the parent.
pub struct Probe {
    /// The candidate's routines.
    pub crt: Crt,
    pipe: Pipe,
    fault: Option<Fault>,
}

impl Probe {
    /// Reports the next step of the case. A later crash or hang is attributed to it.
    ///
    /// # Errors
    /// [`Stop::Failed`] if the parent has ended.
    pub fn step(&mut self, what: &str) -> Result<(), Stop> {
        self.pipe.send(&Event::Step(what.to_owned()))
    }

    /// Lets the parent measure this process's memory, and waits until it has.
    ///
    /// # Errors
    /// [`Stop::Failed`] if the parent has ended.
    pub fn moment(&mut self, name: &str) -> Result<(), Stop> {
        let event = Event::Moment {
            name: name.to_owned(),
            inside: host::own_memory(),
            outside: None,
        };
        self.pipe.send(&event)?;
        self.pipe.receive().map(drop)
    }

    /// Reports a figure.
    ///
    /// # Errors
    /// [`Stop::Failed`] if the parent has ended.
    pub fn fact(&mut self, name: &str, value: i64) -> Result<(), Stop> {
        self.pipe.send(&Event::Fact {
            name: name.to_owned(),
            value,
        })
    }

    /// Calls a routine and reports the call; see [`Crt::observe`]. `errno` and
    /// `_doserrno` hold [`ErrorState::MARKED`] before it.
    ///
    /// # Errors
    /// That of `call`, or [`Stop::Failed`] if the parent has ended.
    pub fn observe<T: Returned>(
        &mut self,
        routine: &str,
        arguments: &str,
        call: impl FnOnce(&Crt) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        self.observe_from(ErrorState::MARKED, routine, arguments, call)
    }

    /// Calls a routine with these error values and reports the call.
    ///
    /// # Errors
    /// That of `call`, or [`Stop::Failed`] if the parent has ended.
    pub fn observe_from<T: Returned>(
        &mut self,
        start: ErrorState,
        routine: &str,
        arguments: &str,
        call: impl FnOnce(&Crt) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        let (value, call) = self.crt.observe(routine, arguments, start, call)?;
        self.report(call)?;
        Ok(value)
    }

    /// Prepares for invalid parameters: sets a handler that counts its calls and returns,
    /// if the library can set one.
    ///
    /// # Errors
    /// [`Stop::Failed`] if the parent has ended.
    pub fn expect_invalid_parameters(&mut self) -> Result<(), Stop> {
        let settable = self.crt.has("_set_invalid_parameter_handler");
        if settable {
            self.crt.set_handler(WhichHandler::First)?;
        }
        self.fact(HANDLER_SET, settable.into())
    }

    /// Calls `_heapmin` with clear error values and reports the call.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library has no `_heapmin`, [`Stop::Failed`] if the parent has ended.
    pub fn heapmin(&mut self) -> Result<i32, Stop> {
        self.heapmin_from(ErrorState::CLEAR)
    }

    /// Calls `_heapmin` with these error values and reports the call.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library has no `_heapmin`, [`Stop::Failed`] if the parent has ended.
    pub fn heapmin_from(&mut self, start: ErrorState) -> Result<i32, Stop> {
        let call = self.crt.observed_heapmin(start)?;
        self.report(call)
    }

    /// Limits this process's address space to its current size plus `room` bytes.
    ///
    /// # Errors
    /// [`Stop::NotJudged`] if the system has no such limit.
    pub fn limit_address_space(&mut self, room: usize) -> Result<(), Stop> {
        let not_here = |why| Stop::NotJudged(format!("memory cannot be limited: {why}"));
        host::limit_address_space(room).map_err(not_here)?;
        crt::address_space_is_limited();
        Ok(())
    }

    /// Installs the fault, which can make the system refuse calls. It refuses none yet.
    ///
    /// # Errors
    /// [`Stop::NotJudged`] with the reason if it cannot be installed.
    pub fn prepare_fault(&mut self) -> Result<(), Stop> {
        let fault = Fault::install(self.crt.module());
        let not_here = |why| Stop::NotJudged(format!("the system cannot be made to refuse: {why}"));
        self.fault = Some(fault.map_err(not_here)?);
        Ok(())
    }

    /// Installs the fault so that it can also refuse requests for memory.
    ///
    /// # Errors
    /// As for [`Probe::prepare_fault`].
    pub fn prepare_fault_of_requests(&mut self) -> Result<(), Stop> {
        self.prepare_fault()?;
        let intercepted = self.installed_fault()?.intercept_requests();
        let not_here = |why| Stop::NotJudged(format!("the system cannot be made to refuse: {why}"));
        intercepted.map_err(not_here)
    }

    fn installed_fault(&self) -> Result<&Fault, Stop> {
        let missing = || Stop::Failed("a fault was used before it was prepared".into());
        self.fault.as_ref().ok_or_else(missing)
    }

    /// Runs `act` while the fault follows `plan`. `act` only calls the candidate: the plan
    /// holds for the whole process. Returns its result, and how the calls fared that the
    /// plan counts.
    ///
    /// # Errors
    /// That of `act`, or [`Stop::Failed`] if the fault was not prepared.
    pub fn under<T>(
        &self,
        plan: Plan,
        act: impl FnOnce(&Crt) -> Result<T, Stop>,
    ) -> Result<(T, Met), Stop> {
        let fault = self.installed_fault()?;
        fault.plan(plan);
        let result = act(&self.crt);
        let met = Met {
            seen: fault.seen(),
            refused: fault.refused(),
        };
        fault.plan(Plan::Off);
        Ok((result?, met))
    }

    /// Calls `_heapmin` with these error values while the fault follows `plan`, and reports
    /// the call. Returns the result of `_heapmin`, and the number of system calls that
    /// release memory during the call.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library has no `_heapmin`, [`Stop::Failed`] if the parent has ended.
    pub fn heapmin_under(&mut self, plan: Plan, start: ErrorState) -> Result<(i32, u32), Stop> {
        let (call, met) = self.under(plan, |crt| crt.observed_heapmin(start))?;
        let call = Call {
            refusals: Some(met.refused),
            ..call
        };
        Ok((self.report(call)?, met.seen))
    }

    /// Calls a routine while the fault follows `plan`, and reports the call; see
    /// [`Probe::observe`]. Returns also the number of refusals.
    ///
    /// # Errors
    /// That of `call`, or [`Stop::Failed`] if the parent has ended.
    pub fn observe_under<T: Returned>(
        &mut self,
        plan: Plan,
        routine: &str,
        arguments: &str,
        call: impl FnOnce(&Crt) -> Result<T, Stop>,
    ) -> Result<(T, u32), Stop> {
        let mut refused = 0;
        let call = |_: &Crt| {
            let (value, met) = self.under(plan, call)?;
            refused = met.refused;
            Ok(value)
        };
        let (value, call) = self
            .crt
            .observe(routine, arguments, ErrorState::MARKED, call)?;
        self.report(Call {
            refusals: Some(refused),
            ..call
        })?;
        Ok((value, refused))
    }

    /// Reports a call that was already made, for example by another thread.
    ///
    /// # Errors
    /// [`Stop::Failed`] if the parent has ended.
    pub fn report(&mut self, call: Call) -> Result<i32, Stop> {
        let returned = call.returned as i32;
        self.pipe.send(&Event::Call(call))?;
        Ok(returned)
    }
}

/// Whether a [`Launch`](crate::parent::launch::Launch) started this process as a probe. A
/// program that is its own probe asks this first, and then calls [`run`].
pub fn is_this_process() -> bool {
    let command = std::env::args_os().nth(1);
    // A program may have a meaning of its own for the word, such as a filter of tests.
    let is_marked = std::env::var_os(MARK_VARIABLE).is_some();
    is_marked && command.is_some_and(|it| it == PROBE_COMMAND)
}

/// Runs as a probe: reads a job from standard input or from a file, performs it and ends the
/// process. With a file, a debugger or another tool watches: a crash is left to it.
/// `build` identifies the sources of this program; `act_of` returns the code of a case.
pub fn run(build: &str, file: Option<&Path>, act_of: impl Fn(&str) -> Option<Act>) -> ! {
    host::close_inherited();
    host::prepare_process();
    let (mut pipe, order) = match file {
        None => {
            host::leave_no_trace();
            let mut pipe = Pipe::take_over_standard_streams();
            let order = pipe.receive().unwrap_or_default();
            (pipe, order)
        }
        Some(file) => match Pipe::beside(file).and_then(|pipe| Ok((pipe, std::fs::read(file)?))) {
            Ok(both) => both,
            Err(error) => {
                eprintln!("the files of the job {}: {error}", file.display());
                std::process::exit(2);
            }
        },
    };
    let Ok(job) = serde_json::from_slice::<Job>(&order) else {
        eprintln!("the probe is started by heapmin itself; use `heapmin check`");
        std::process::exit(2);
    };
    pipe.use_token(&job.token);
    if file.is_none() {
        host::report_exceptions(pipe.output(), &job.token);
    }
    let hello = Event::Hello {
        build: build.to_owned(),
        process: if cfg!(unix) { std::process::id() } else { 0 },
    };
    let last = match pipe.send(&hello) {
        Ok(()) => perform(&job, pipe.share(), act_of),
        Err(_) => Event::Done,
    };
    let _ = pipe.send(&last);
    // Without exit handlers: the candidate's must not run.
    host::end_process()
}

fn perform(job: &Job, pipe: Pipe, act_of: impl Fn(&str) -> Option<Act>) -> Event {
    if job.load_name.is_empty() {
        if job.case == CALIBRATION {
            // A probe whose parent is gone ends.
            let _ = calibration::work(pipe);
        }
        return Event::Done;
    }
    if let Some(fence) = &job.fence {
        let fenced = Event::Fenced(fence::raise(fence));
        if pipe.share().send(&fenced).is_err() {
            return Event::Done;
        }
    }
    if let Some(place) = job.stop {
        stop::set(place);
    }
    let crt = match Crt::load(job) {
        Ok(crt) => crt,
        Err(Unusable::Rejected(reason)) => return pipe.last_words(Event::LoadFailed(reason)),
        Err(Unusable::Elsewhere { routine, file }) => {
            return pipe.last_words(Event::Elsewhere { routine, file });
        }
    };
    let loaded = Event::Loaded {
        path: crt.loaded_from(),
    };
    if pipe.share().send(&loaded).is_err() {
        return Event::Done;
    }
    if job.case.is_empty() {
        return pipe.last_words(Event::Routines(crt.homes()));
    }
    // This calls the library.
    if crt.shares_errno() && pipe.share().send(&Event::SharesErrno).is_err() {
        return Event::Done;
    }
    let mut probe = Probe {
        crt,
        pipe,
        fault: None,
    };
    stop::before_the_case();
    let result = if let Some(script) = &job.script {
        let lines = script.lines().map(str::parse);
        match lines.collect::<Result<Vec<Step>, String>>() {
            Ok(script) => catch_unwind(AssertUnwindSafe(|| interpreter::run(&mut probe, &script))),
            Err(reason) => return Event::ProbeFailed(format!("the script: {reason}")),
        }
    } else {
        let Some(act) = act_of(&job.case) else {
            return Event::ProbeFailed(format!("no case is called {}", job.case));
        };
        catch_unwind(AssertUnwindSafe(|| act(&mut probe)))
    };
    for (routine, pairs) in probe.crt.covered() {
        let routine = routine.to_owned();
        if probe.pipe.send(&Event::Covered { routine, pairs }).is_err() {
            return Event::Done;
        }
    }
    match result {
        Ok(Ok(())) => Event::Done,
        Ok(Err(Stop::Missing(routine))) => {
            probe.pipe.last_words(Event::Missing(routine.to_owned()))
        }
        Ok(Err(Stop::OutOfMemory(size))) => probe.pipe.last_words(Event::OutOfMemory {
            size: size as u64,
            available: available_memory(),
        }),
        Ok(Err(Stop::NotApplicable(why))) => probe.pipe.last_words(Event::NotApplicable(why)),
        Ok(Err(Stop::NotJudged(why))) => probe.pipe.last_words(Event::NotJudged(why)),
        Ok(Err(Stop::Failed(why))) => Event::ProbeFailed(why),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| Some(panic.downcast_ref::<&str>()?.to_string()));
            Event::ProbeFailed(text.unwrap_or_else(|| "the probe panicked".into()))
        }
    }
}
