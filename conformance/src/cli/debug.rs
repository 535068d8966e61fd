//! `heapmin debug`: runs one case under a debugger or another tool.

use super::messages::{note, remark};
use super::options::{ProfileArgs, RunnerArgs, SurroundingsArgs, Words, words};
use super::{AS_EXPECTED, catalogue, runners, signals};
use crate::debug::guide::guide;
use crate::debug::session::Session;
use crate::debug::subject::find;
use crate::debug::tool::{Debugger, Tool};
use crate::load::load_all;
use crate::observe::prepared;
use crate::pace::Pace;
use crate::select::named;
use clap::{Args, ValueHint};
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::text::input_error::InputError;
use std::ffi::OsString;

const EXAMPLES: &str = "\
Examples:
  heapmin debug heapmin ./libmine.so
  heapmin debug heapmin.success-keeps-errno ./libmine.so --with 'strace -f'";

#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct DebugArgs {
    /// Id of the clause, as shown by `heapmin list`
    ///
    /// Or a family or routine, such as heapmin: the first of its clauses that deviates.
    #[arg(value_hint = ValueHint::Other)]
    clause: String,
    /// Library file, or name of a known library
    #[arg(value_name = "LIBRARY", value_hint = ValueHint::FilePath)]
    candidate: OsString,
    /// Case of the clause [default: the first case in which the library deviates]
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other, help_heading = WHAT)]
    case: Option<String>,
    /// Let the library replace the system's heap (LD_PRELOAD) in the cases about that
    #[arg(long, help_heading = WHAT)]
    preload: bool,
    /// Debugger [default: the first that is found]
    #[arg(
        long,
        value_name = "NAME",
        value_enum,
        conflicts_with_all = ["with", "keep_core"],
        help_heading = TOOL
    )]
    debugger: Option<Debugger>,
    /// Command to run the probe under instead, such as 'valgrind -q' or 'strace -f'
    ///
    /// The probe does not stop in it. 'rr record' makes a recording.
    #[arg(
        long,
        value_name = "CMD",
        value_parser = words,
        conflicts_with = "keep_core",
        value_hint = ValueHint::CommandString,
        help_heading = TOOL
    )]
    with: Option<Words>,
    /// Do not stop before the deviation: run to the end of the case, or to a crash
    #[arg(long, help_heading = TOOL)]
    keep_going: bool,
    /// Run without a debugger and keep the core file of a crash (Linux)
    ///
    /// Without a crash, the process ends with a core file right before the deviation.
    #[arg(long, help_heading = TOOL)]
    keep_core: bool,
    #[command(flatten)]
    judged_by: ProfileArgs,
    #[command(flatten)]
    surroundings: SurroundingsArgs,
    #[command(flatten)]
    runner: RunnerArgs,
}

const WHAT: &str = "What to run";
const TOOL: &str = "What it runs under";

pub(super) fn debug(args: &DebugArgs) -> Result<u8, InputError> {
    let clauses = named(&args.clause)?;
    let mut candidate = candidate(args)?;
    let tool = tool(args, &candidate)?;
    remark(&format!("checking {} ({})", args.clause, candidate.name));
    let pace = Pace::measured([&candidate.runner], 1, 1);
    let memory = pace.memory(&candidate.runner);
    candidate.runner.sees_memory = memory.is_seen;
    candidate.runner.frees_threads = memory.frees_threads;
    let (mut loaded, mut refused) = load_all(vec![candidate], 1, &pace);
    let Some(candidate) = loaded.pop() else {
        return Err(refused.pop().expect("one of the two has it").error);
    };
    let timeout = pace.of(&candidate.runner).full;
    let subject = find(&clauses, args.case.as_deref(), &candidate, timeout)?;
    let crashes = subject.judgement.verdict == crate::clause::Verdict::Crash;
    let stops = match tool {
        Tool::Command(_) => false,
        // The core file of a crash shows the crash.
        Tool::Nothing => !args.keep_going && !crashes,
        Tool::Debugger(..) => !args.keep_going,
    };
    let stop = stops.then(|| subject.stop());
    let prepared = prepared(&candidate, subject.case, stop)?;
    let session = Session::new(&tool, &candidate.runner, &prepared)?;
    note(guide(&subject, &candidate, &tool, stops).trim_end());
    if let Some(left_out) = &session.command().left_out {
        note(&format!("note: {left_out}"));
    }
    signals::leave_to_a_tool();
    match tool {
        Tool::Nothing => keep_core(&session, &candidate)?,
        _ => drop(session.run()?),
    }
    note(&session.account());
    Ok(AS_EXPECTED)
}

/// What the probe runs under. It is looked for before the library runs.
fn tool(args: &DebugArgs, candidate: &Candidate) -> Result<Tool, InputError> {
    if args.keep_core {
        if !cfg!(target_os = "linux") || candidate.runner.is_wine() {
            let problem = "--keep-core works for libraries that Linux itself loads";
            return Err(InputError::new(problem, "leave it out"));
        }
        return Ok(Tool::Nothing);
    }
    match &args.with {
        Some(words) => Ok(Tool::Command(words.0.clone())),
        None => Debugger::find(args.debugger, &candidate.runner),
    }
}

#[cfg(target_os = "linux")]
fn keep_core(session: &Session, candidate: &Candidate) -> Result<(), InputError> {
    use crate::debug::core_file;
    core_file::allow()?;
    let started = std::time::SystemTime::now();
    let status = session.run()?;
    let program = &candidate.runner.program;
    note(&core_file::account(status, started, program));
    Ok(())
}

/// Refused before.
#[cfg(not(target_os = "linux"))]
fn keep_core(_: &Session, _: &Candidate) -> Result<(), InputError> {
    Ok(())
}

fn candidate(args: &DebugArgs) -> Result<Candidate, InputError> {
    let catalogue = catalogue()?;
    let profile = args.judged_by.profile.as_deref();
    let profile = profile.map(|name| catalogue.profile(name)).transpose()?;
    let runners = runners(args.runner.choice(true, None))?;
    let candidate = catalogue.candidate(&args.candidate, profile.as_ref(), &runners)?;
    let surroundings = args.surroundings.chosen();
    let candidate = surroundings.of(candidate, &catalogue)?;
    candidate.check_heap()?;
    match args.preload {
        true => candidate.standing_in(),
        false => Ok(candidate),
    }
}
