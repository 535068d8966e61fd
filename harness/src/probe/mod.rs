//! The probe: the process in which a candidate is loaded and a case acts on it.
//!
//! It trusts nobody: the pipe to the harness is moved out of the way before
//! the candidate is loaded, and memory is measured by the parent while the
//! probe stands still.

pub mod blocks;
pub mod crt;
pub mod fault;
mod fence;
mod host;
mod interpreter;
pub mod pages;
mod pipe;

use crate::memory::available_memory;
use crate::wire::job::Job;
use crate::wire::observation::{Call, Event, HANDLER_SET};
use crate::wire::script::Operation;
use crt::{Crt, Returned, WhichHandler};
use fault::{Fault, Plan};
pub use host::{Child, in_a_fork, read_memory, win32_heap_owns};
use pipe::Pipe;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Why a case stops before its end. Each has an event of its own, except
/// where the harness is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The library does not have this routine.
    Missing(&'static str),
    /// The candidate gave null for so many bytes.
    OutOfMemory(usize),
    /// The case makes no sense for this candidate.
    NotApplicable(String),
    /// The probe cannot go on: the harness is gone, or the system refuses.
    Failed(String),
}

/// What a case does.
pub type Act = fn(&mut Probe) -> Result<(), Stop>;

/// The error values of a thread before a call.
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
    /// Values that no routine sets, so that one which was set is seen.
    pub const MARKED: ErrorState = ErrorState {
        errno: 77,
        doserrno: 54_321,
        last_error: 0,
    };

    /// All zero, as a program that has seen no error has it.
    pub const CLEAR: ErrorState = ErrorState {
        errno: 0,
        doserrno: 0,
        last_error: 0,
    };
}

/// A case's view of the candidate and of the harness.
pub struct Probe {
    /// The candidate's routines.
    pub crt: Crt,
    pipe: Pipe,
    fault: Option<Fault>,
}

impl Probe {
    /// Says what the case does next; a crash or a hang is blamed on it.
    pub fn step(&mut self, what: &str) -> Result<(), Stop> {
        self.pipe.send(&Event::Step(what.to_owned()))
    }

    /// Has memory measured, and goes on when that is done.
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
    pub fn fact(&mut self, name: &str, value: i64) -> Result<(), Stop> {
        self.pipe.send(&Event::Fact {
            name: name.to_owned(),
            value,
        })
    }

    /// Calls a routine and reports the call; see [`Crt::observe`]. `errno` and
    /// `_doserrno` hold [`ErrorState::MARKED`] before it.
    pub fn observe<T: Returned>(
        &mut self,
        routine: &str,
        arguments: &str,
        call: impl FnOnce(&Crt) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        self.observe_from(ErrorState::MARKED, routine, arguments, call)
    }

    /// Calls a routine with these error values and reports the call.
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

    /// Gets ready for invalid parameters: sets a handler that counts and goes
    /// on, where the library lets one be set.
    pub fn expect_invalid_parameters(&mut self) -> Result<(), Stop> {
        let settable = self.crt.has("_set_invalid_parameter_handler");
        if settable {
            self.crt.set_handler(WhichHandler::First)?;
        }
        self.fact(HANDLER_SET, settable.into())
    }

    /// Calls `_heapmin` with clear error values and reports the call.
    pub fn heapmin(&mut self) -> Result<i32, Stop> {
        self.heapmin_from(ErrorState::CLEAR)
    }

    /// Calls `_heapmin` with these error values and reports the call.
    pub fn heapmin_from(&mut self, start: ErrorState) -> Result<i32, Stop> {
        let call = self.crt.observed_heapmin(start)?;
        self.report(call)
    }

    /// Leaves this process so much more address space, in bytes, and no more.
    ///
    /// # Errors
    /// [`Stop::NotApplicable`] where a process has no such limit.
    pub fn limit_address_space(&mut self, room: usize) -> Result<(), Stop> {
        let not_here = |why| Stop::NotApplicable(format!("memory cannot be limited: {why}"));
        host::limit_address_space(room).map_err(not_here)
    }

    /// Gets ready to make the system refuse. Nothing is refused yet.
    ///
    /// # Errors
    /// [`Stop::NotApplicable`] with the reason where that cannot be done.
    pub fn prepare_fault(&mut self) -> Result<(), Stop> {
        let fault = Fault::install(self.crt.module());
        let not_here =
            |why| Stop::NotApplicable(format!("the system cannot be made to refuse: {why}"));
        self.fault = Some(fault.map_err(not_here)?);
        Ok(())
    }

    /// Calls `_heapmin` with these error values while the system follows a
    /// plan, and reports the call. Returns what it returned, and how many
    /// calls that release memory the system saw meanwhile.
    pub fn heapmin_under(&mut self, plan: Plan, start: ErrorState) -> Result<(i32, u32), Stop> {
        let Some(fault) = &self.fault else {
            return Err(Stop::Failed(
                "a fault was used before it was prepared".into(),
            ));
        };
        fault.plan(plan);
        let call = self.crt.observed_heapmin(start);
        let (seen, refused) = (fault.seen(), fault.refused());
        fault.plan(Plan::Off);
        let call = Call {
            refusals: Some(refused),
            ..call?
        };
        Ok((self.report(call)?, seen))
    }

    /// Reports a call that was made, say by another thread.
    pub fn report(&mut self, call: Call) -> Result<i32, Stop> {
        let returned = call.returned as i32;
        self.pipe.send(&Event::Call(call))?;
        Ok(returned)
    }
}

/// Runs as a probe: reads a job from standard input, does it, and ends the
/// process. `build` tells from what sources this program was made, `act_of`
/// knows the cases.
pub fn run(build: &str, act_of: impl Fn(&str) -> Option<Act>) -> ! {
    host::close_inherited();
    host::quiet_crashes();
    let mut pipe = Pipe::take_over_standard_streams();
    let order = pipe.receive().unwrap_or_default();
    let Ok(job) = serde_json::from_slice::<Job>(&order) else {
        eprintln!("the probe is started by heapmin itself; use `heapmin check`");
        std::process::exit(2);
    };
    pipe.use_token(&job.token);
    host::report_exceptions(pipe.output(), &job.token);
    let hello = Event::Hello {
        build: build.to_owned(),
    };
    let last = match pipe.send(&hello) {
        Ok(()) => perform(&job, pipe.share(), act_of),
        Err(_) => Event::Done,
    };
    let _ = pipe.send(&last);
    // No exit handler of a candidate gets a say in what was observed.
    host::end_process()
}

fn perform(job: &Job, pipe: Pipe, act_of: impl Fn(&str) -> Option<Act>) -> Event {
    if job.load_name.is_empty() {
        return Event::Done;
    }
    if let Some(fence) = &job.fence {
        let fenced = Event::Fenced(fence::raise(fence));
        if pipe.share().send(&fenced).is_err() {
            return Event::Done;
        }
    }
    let crt = match Crt::load(job) {
        Ok(crt) => crt,
        Err(reason) => return pipe.last_words(Event::LoadFailed(reason)),
    };
    let loaded = Event::Loaded {
        path: crt.loaded_from(),
    };
    if pipe.share().send(&loaded).is_err() || job.case.is_empty() {
        return Event::Done;
    }
    let mut probe = Probe {
        crt,
        pipe,
        fault: None,
    };
    let result = if let Some(script) = &job.script {
        let lines = script.lines().map(str::parse);
        match lines.collect::<Result<Vec<Operation>, String>>() {
            Ok(script) => catch_unwind(AssertUnwindSafe(|| interpreter::run(&mut probe, &script))),
            Err(reason) => return Event::ProbeFailed(format!("the script: {reason}")),
        }
    } else {
        let Some(act) = act_of(&job.case) else {
            return Event::ProbeFailed(format!("there is no case {}", job.case));
        };
        catch_unwind(AssertUnwindSafe(|| act(&mut probe)))
    };
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
        Ok(Err(Stop::Failed(why))) => Event::ProbeFailed(why),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| Some(panic.downcast_ref::<&str>()?.to_string()));
            Event::ProbeFailed(text.unwrap_or_else(|| "the probe panicked".into()))
        }
    }
}
