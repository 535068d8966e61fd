//! `heapmin doctor`: lists what can load libraries on this machine, and what is missing.

use super::list::table;
use super::options::RunnerArgs;
use super::output::Output;
use super::{AS_EXPECTED, catalogue, runners};
use crate::pace::Memory;
use clap::Args;
use heapmin_harness::library::profile::Source;
use heapmin_harness::parent::runner::Runner;
use heapmin_harness::parent::runners::Runners;
use heapmin_harness::parent::target::Target;
use heapmin_harness::text::input_error::InputError;
use std::fmt::Write;

const EXAMPLES: &str = "\
Examples:
  heapmin doctor
  heapmin doctor --wine /opt/wine-9/bin/wine";

#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    runner: RunnerArgs,
}

pub(super) fn doctor(args: &DoctorArgs) -> Result<u8, InputError> {
    let runners = runners(args.runner.choice(false, None))?;
    let catalogue = catalogue()?;
    let mut rows = table(&["libraries for", "run by", "works"]);
    let mut missing = String::new();
    for target in std::iter::once(Target::native()).chain(Target::others()) {
        match runners.for_target(&target) {
            Ok(runner) => {
                rows.add_row([target.to_string(), run_by(&runner), works(&runner)]);
            }
            Err(error) => {
                rows.add_row([target.to_string(), String::new(), "no".to_owned()]);
                write(&mut missing, &target.to_string(), &error);
            }
        }
    }
    for profile in catalogue.profiles.iter() {
        let is_needed = matches!(profile.source, Source::Reference | Source::Adapter);
        if !is_needed {
            continue;
        }
        if let Err(error) = catalogue.candidate(&profile.name, None, &runners) {
            write(&mut missing, &profile.name, &error);
        }
    }
    let mut text = format!("{rows}\n");
    if !missing.is_empty() {
        text += "\nmissing\n";
        text += &missing;
    }
    Output::Standard.write(&text)?;
    Ok(AS_EXPECTED)
}

fn write(text: &mut String, what: &str, error: &InputError) {
    writeln!(text, "  {what}: {}\n    {}", error.problem, error.mend).expect("writing to a string");
}

fn run_by(runner: &Runner) -> String {
    match runner.description() {
        words if words.is_empty() => "this system".into(),
        words => words,
    }
}

/// What was seen when a probe was started.
fn works(runner: &Runner) -> String {
    match Memory::through(runner) {
        Memory { is_seen: false, .. } => "yes, but clauses about memory are not judged: a control that wrote and released pages was not seen to fall".into(),
        Memory { frees_threads: false, .. } => "yes, but memory of threads that ended is not judged: in a control without a library, memory stayed".into(),
        _ => "yes".into(),
    }
}

/// The names of all known libraries that this machine can load, for `check --all`. Calls
/// `leave_out` with the reason for each other one.
pub(super) fn all_names(
    runners: &Runners,
    leave_out: &mut dyn FnMut(&str),
) -> Result<Vec<String>, InputError> {
    let catalogue = catalogue()?;
    let mut names = Vec::new();
    for target in std::iter::once(Target::native()).chain(Target::others()) {
        if let Err(error) = runners.for_target(&target) {
            leave_out(&format!("all libraries for {target}: {error}"));
            continue;
        }
        for profile in &catalogue.profiles {
            let format = profile.format.unwrap_or(Target::native().format);
            let is_adapter = profile.source == Source::Adapter;
            if format != target.format
                || profile.source == Source::Path
                || is_adapter && !target.is_native()
            {
                continue;
            }
            let name = match target.arch == std::env::consts::ARCH {
                true => profile.name.clone(),
                false => format!("{}:{}", profile.name, target.arch),
            };
            match catalogue.candidate(&name, None, runners) {
                Ok(_) => names.push(name),
                Err(error) => leave_out(&error.problem),
            }
        }
    }
    Ok(names)
}
