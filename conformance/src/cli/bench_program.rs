//! `heapmin bench -- PROGRAM`: runs a program of the user's under each allocator.

use super::bench::{BenchArgs, ReportFormat, candidates, setting};
use super::messages::note;
use super::output::Output;
use super::signals::interrupted;
use super::{AS_EXPECTED, DEVIATION, catalogue, progress, runners};
use crate::bench::program::{Allocator, Problem, Row, measure, report};
use crate::bench::report::Named;
use crate::bench::version;
use heapmin_harness::library::inspect::{Format, inspect};
use heapmin_harness::library::profile::Source;
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::parent::catalogue::Catalogue;
use heapmin_harness::parent::program::{Failure, Program};
use heapmin_harness::parent::runners::{Choice, Runners};
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::printable::{on_one_line, shown};
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;

/// The C library, which has the system's own heap.
const C_LIBRARY: &str = "libc.so.6";

pub(super) fn bench(
    args: &BenchArgs,
    program: &OsStr,
    arguments: &[OsString],
) -> Result<u8, InputError> {
    let timeout = Duration::from_secs(args.timeout);
    let program = Program::find(program, arguments)?;
    let allocators = allocators(args, &program, timeout)?;
    let output = Output::create(args.output.as_deref())?;
    if let Err(error) = first_run(&program, args, timeout) {
        return match interrupted() {
            Some(status) => Ok(stopped(status)),
            None => Err(error),
        };
    }
    let repeats = usize::from(args.repeat);
    let runs = (allocators.len() * repeats) as u64;
    let progress = progress::bar(runs, "{bar:40} {pos}/{len} runs, {elapsed}");
    let rows = measure(&program, &allocators, repeats, timeout, || progress.inc(1));
    progress.finish_and_clear();
    let Some(rows) = rows else {
        return Ok(stopped(interrupted().unwrap_or(DEVIATION)));
    };
    let named = allocators.into_iter().map(|allocator| allocator.named);
    let setting = setting(args, named.collect());
    output.write(&match args.format {
        ReportFormat::Human => report::human(&setting, &args.program, &rows),
        ReportFormat::Markdown => report::markdown(&setting, &args.program, &rows),
        ReportFormat::Json => report::json(&setting, &args.program, &rows),
    })?;
    Ok(status(&rows))
}

fn stopped(status: u8) -> u8 {
    note("interrupted: there is no report, because not every run is finished");
    status
}

/// The exit status for these results. What failing runs printed goes to standard error.
fn status(rows: &[Row]) -> u8 {
    let mut status = AS_EXPECTED;
    for row in rows {
        if let Err(Problem { what, printed }) = &row.figures {
            status = DEVIATION;
            note(&format!("{}: {what}", row.allocator));
            for line in printed.lines() {
                note(&format!("  {}", on_one_line(line)));
            }
        }
    }
    status
}

/// Runs the program once, without measuring it: its files are then in the system's cache
/// for each allocator, and a program that fails by itself is not blamed on one.
fn first_run(program: &Program, args: &BenchArgs, timeout: Duration) -> Result<(), InputError> {
    let Err(failure) = program.run(None, timeout) else {
        return Ok(());
    };
    let name = args.program.first().map(|name| shown(name));
    let name = name.unwrap_or_default();
    let (what, printed) = match failure {
        Failure::Failed { what, printed } => (what, printed),
        Failure::Interrupted => ("it was interrupted".to_owned(), String::new()),
    };
    let printed = match printed.trim() {
        "" => String::new(),
        printed => format!("; it printed: {}", on_one_line(printed)),
    };
    Err(InputError::new(
        format!("{name} fails on the system's heap: {what}{printed}"),
        "name a program that ends with status 0 in the time of --timeout; sh -c 'PROGRAM; true' ignores its status",
    ))
}

/// The allocators named by the user; by default the reference and all that are installed.
fn allocators(
    args: &BenchArgs,
    program: &Program,
    timeout: Duration,
) -> Result<Vec<Allocator>, InputError> {
    let runners = runners(Choice {
        is_unfenced: true,
        ..Choice::default()
    })?;
    let catalogue = catalogue()?;
    if args.candidates.is_empty() {
        let found = candidates(args, &catalogue, &runners)?;
        let allocators = found.iter().map(|it| of_candidate(it, program, timeout));
        return allocators.collect();
    }
    let named = args.candidates.iter();
    named
        .map(|name| of_argument(name, program, timeout, &catalogue, &runners))
        .collect()
}

fn of_argument(
    argument: &OsStr,
    program: &Program,
    timeout: Duration,
    catalogue: &Catalogue,
    runners: &Runners,
) -> Result<Allocator, InputError> {
    let profiles = &mut catalogue.profiles.iter();
    let is_named = profiles.any(|profile| argument == OsStr::new(&profile.name));
    if !is_named && Path::new(argument).exists() {
        return of_file(argument, program);
    }
    of_candidate(
        &catalogue.candidate(argument, None, runners)?,
        program,
        timeout,
    )
}

/// The allocator in this file. It needs no `_heapmin`.
fn of_file(argument: &OsStr, program: &Program) -> Result<Allocator, InputError> {
    let name = shown(argument);
    let path = std::path::absolute(argument).map_err(|error| {
        InputError::new(format!("{name}: {error}"), "give the path of a library")
    })?;
    let image = inspect(&path)?;
    check(&name, image.format, &image.exports)?;
    allocator(name, path.into_os_string(), None, program)
}

/// The allocator of a known library; for an adapter, the allocator that it adapts.
fn of_candidate(
    candidate: &Candidate,
    program: &Program,
    timeout: Duration,
) -> Result<Allocator, InputError> {
    let name = candidate.name.clone();
    let profile = candidate.profile.as_ref();
    let adapter = profile.filter(|profile| profile.source == Source::Adapter);
    let Some(adapter) = adapter else {
        check(&name, candidate.image.format, &candidate.image.exports)?;
        return allocator(name, candidate.path.clone().into(), None, program);
    };
    let version = version(candidate, timeout);
    if let Some(needs) = &adapter.needs {
        return allocator(name, needs.file.clone().into(), version, program);
    }
    let path = program.path_of(C_LIBRARY.as_ref(), None)?;
    Ok(Allocator {
        named: Named {
            name,
            path: path.display().to_string(),
            version,
        },
        preloaded: None,
    })
}

fn allocator(
    name: String,
    library: OsString,
    version: Option<String>,
    program: &Program,
) -> Result<Allocator, InputError> {
    let path = program.path_of(&library, Some(&library))?;
    Ok(Allocator {
        named: Named {
            name,
            path: path.display().to_string(),
            version,
        },
        preloaded: Some(library),
    })
}

/// Checks that a library can replace the system's heap.
///
/// # Errors
/// If it is not an ELF library with `malloc` and `free`.
fn check(name: &str, format: Format, exports: &[String]) -> Result<(), InputError> {
    let mend = "name an allocator that programs can preload";
    if format != Format::Elf {
        let problem = format!("{name} cannot be preloaded: it is a {format} library");
        return Err(InputError::new(problem, mend));
    }
    let mut needed = ["malloc", "free"].into_iter();
    match needed.find(|routine| !exports.iter().any(|export| export == routine)) {
        None => Ok(()),
        Some(routine) => Err(InputError::new(
            format!("{name} cannot replace the system's heap: it exports no {routine}"),
            mend,
        )),
    }
}
