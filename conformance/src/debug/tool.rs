//! What a probe runs under, and the command that starts it so.

use crate::observe::Prepared;
use heapmin_harness::parent::process_limit::{ProcessLimit, Resource};
use heapmin_harness::parent::runner::{Runner, Starter};
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::printable::shown;
use heapmin_harness::wire::job::PROBE_COMMAND;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The debuggers that heapmin can drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Debugger {
    /// gdb
    Gdb,
    /// lldb
    Lldb,
    /// winedbg, for Windows libraries under Wine
    Winedbg,
}

/// What a probe runs under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tool {
    /// A debugger, with its path; for winedbg that of Wine.
    Debugger(Debugger, PathBuf),
    /// A command of the user's, before the command of the probe.
    Command(Vec<String>),
    /// Nothing.
    Nothing,
}

/// Signals that cases use themselves: a fault of a seccomp filter, a thread that is
/// interrupted, and one that is cancelled.
const SIGNALS_OF_CASES: [&str; 3] = ["SIGSYS", "SIGUSR1", "SIGUSR2"];

impl Debugger {
    /// Its program.
    pub fn name(self) -> &'static str {
        match self {
            Debugger::Gdb => "gdb",
            Debugger::Lldb => "lldb",
            Debugger::Winedbg => "winedbg",
        }
    }

    /// The debugger for probes of this runner: the one that the user names, or the first that
    /// is found.
    ///
    /// # Errors
    /// If it is not found, or cannot debug such a probe.
    pub fn find(wanted: Option<Debugger>, runner: &Runner) -> Result<Tool, InputError> {
        let with = "use --with 'CMD', which starts the whole command of the probe";
        let debuggers: &[Debugger] = match &runner.starter {
            Starter::System => &[Debugger::Gdb, Debugger::Lldb],
            Starter::Wine(_) => &[Debugger::Winedbg],
            Starter::Emulator { path, .. } => {
                let path = shown(path.as_os_str());
                let problem = format!("no debugger sees into the emulator {path}");
                return Err(InputError::new(problem, with));
            }
            Starter::Command(words) => {
                let problem = format!("no debugger is known for --runner '{}'", words.join(" "));
                return Err(InputError::new(problem, with));
            }
        };
        if let Some(wanted) = wanted.filter(|wanted| !debuggers.contains(wanted)) {
            let names: Vec<_> = debuggers.iter().map(|it| it.name()).collect();
            let kind = if runner.is_wine() {
                "a Windows"
            } else {
                "this"
            };
            let problem = format!("{} cannot debug {kind} library here", wanted.name());
            return Err(InputError::new(
                problem,
                format!("use {}", names.join(" or ")),
            ));
        }
        let wanted = wanted.as_ref().map_or(debuggers, std::slice::from_ref);
        let found = wanted.iter().find_map(|debugger| {
            // Wine brings winedbg, and is found already.
            let path = match &runner.starter {
                Starter::Wine(wine) => Some(wine.clone()),
                _ => which::which(debugger.name()).ok(),
            };
            Some(Tool::Debugger(*debugger, path?))
        });
        found.ok_or_else(|| {
            let names: Vec<_> = wanted.iter().map(|it| it.name()).collect();
            InputError::new(
                format!(
                    "{} not found",
                    names.join(" and ") + if names.len() > 1 { " were" } else { " was" }
                ),
                format!(
                    "install one (Debian: `apt-get install {}`), or use --with 'CMD'",
                    names[0]
                ),
            )
        })
    }
}

/// A command, and environment variables for it.
#[derive(Debug, PartialEq, Eq)]
pub struct Command {
    /// The program and its arguments.
    pub words: Vec<OsString>,
    /// The variables.
    pub environment: Vec<(String, String)>,
    /// What the command leaves out, in words.
    pub left_out: Option<String>,
}

impl Tool {
    /// The command that runs a prepared probe under this tool. `job` is the file with its
    /// job.
    ///
    /// # Errors
    /// If Windows cannot name the file.
    pub fn command(
        &self,
        runner: &Runner,
        prepared: &Prepared,
        job: &Path,
    ) -> Result<Command, InputError> {
        let program: Vec<OsString> = [
            runner.program.clone().into(),
            PROBE_COMMAND.into(),
            runner.path_for_loader(job)?,
        ]
        .into();
        let mut environment = prepared.environment.clone();
        let mut left_out = None;
        let strings = |words: Vec<String>| words.into_iter().map(OsString::from);
        let words: Vec<OsString> = match self {
            Tool::Debugger(Debugger::Gdb, path) => {
                // The variables and the limit are for the probe alone: a library in
                // LD_PRELOAD would be in gdb, too.
                let wrapper = wrapper(&std::mem::take(&mut environment), prepared.limit);
                let mut commands = vec![
                    "set breakpoint pending on".to_owned(),
                    // It stops in Rust, and users call routines of C.
                    "set language c".to_owned(),
                    format!("handle {} nostop noprint pass", SIGNALS_OF_CASES.join(" ")),
                ];
                commands.extend(wrapper.map(|words| format!("set exec-wrapper {words}")));
                commands.push("run".into());
                let commands = commands.into_iter().flat_map(|it| ["-ex".into(), it]);
                let first = [path.clone().into(), "-q".into()].into_iter();
                let first = first.chain(strings(commands.collect()));
                first.chain(["--args".into()]).chain(program).collect()
            }
            Tool::Debugger(Debugger::Lldb, path) => {
                left_out = prepared.limit.map(|_| not_limited("lldb"));
                let mut commands = Vec::new();
                for (name, value) in std::mem::take(&mut environment) {
                    let pair = format!("{name}={value}");
                    let pair = pair.replace('\\', "\\\\").replace('"', "\\\"");
                    commands.push(format!("settings append target.env-vars \"{pair}\""));
                }
                // lldb 14 sets the actions of signals for a running process only.
                commands.push("process launch --stop-at-entry".into());
                let signals = SIGNALS_OF_CASES.join(" ");
                commands.push(format!(
                    "process handle -s false -n false -p true {signals}"
                ));
                commands.push("continue".into());
                let commands = commands.into_iter().flat_map(|it| ["-o".into(), it]);
                let first = std::iter::once(path.clone().into());
                let first = first.chain(strings(commands.collect()));
                first.chain(["--".into()]).chain(program).collect()
            }
            Tool::Debugger(Debugger::Winedbg, wine) => {
                let first = [wine.clone().into(), "winedbg".into()].into_iter();
                first.chain(program).collect()
            }
            Tool::Command(command) => {
                left_out = prepared.limit.map(|_| not_limited("the command"));
                let first = strings(command.clone());
                first.chain(runner.starter.words()).chain(program).collect()
            }
            Tool::Nothing => {
                let first = limits(prepared.limit);
                let first = strings(first).chain(runner.starter.words());
                first.chain(program).collect()
            }
        };
        let is_set = std::env::var_os("WINEDEBUG").is_some();
        if runner.is_wine() && !is_set {
            environment.push(("WINEDEBUG".into(), "-all".into()));
        }
        Ok(Command {
            words,
            environment,
            left_out,
        })
    }
}

fn not_limited(tool: &str) -> String {
    format!("{tool} starts the process without the limit that the case has from its start")
}

/// The command that sets these variables and this limit, as a shell reads it; `None` if there
/// is nothing to set.
fn wrapper(environment: &[(String, String)], limit: Option<ProcessLimit>) -> Option<String> {
    let mut words = limits(limit);
    if !environment.is_empty() {
        words.push("env".into());
        let pairs = environment.iter();
        words.extend(pairs.map(|(name, value)| format!("{name}={value}")));
    }
    let words = shlex::try_join(words.iter().map(String::as_str));
    // A variable cannot contain a NUL byte.
    words.ok().filter(|words| !words.is_empty())
}

/// The command that sets a limit.
fn limits(limit: Option<ProcessLimit>) -> Vec<String> {
    let Some(limit) = limit else {
        return Vec::new();
    };
    let bytes = limit.mebibytes << 20;
    let resource = match limit.resource {
        Resource::AddressSpace => "as",
        Resource::Data => "data",
    };
    vec!["prlimit".into(), format!("--{resource}={bytes}:{bytes}")]
}
