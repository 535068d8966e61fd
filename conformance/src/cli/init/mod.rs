//! `heapmin init`: writes an expected-results file and a CI workflow for a library.
//!
//! The library is checked from the root of its repository, with the words that the workflow will
//! use, so that the two runs have the same names.

mod files;
mod repository;
mod workflow;

use super::messages::note;
use super::options::{ClausesArgs, ProfileArgs, RunnerArgs, SurroundingsArgs};
use super::output::Output;
use super::{AS_EXPECTED, DEVIATION, FAILED, catalogue, color, progress};
use crate::expected::known::Expected;
use crate::record::{self, Run};
use clap::{Args, ValueEnum, ValueHint};
use files::Files;
use heapmin_harness::library::inspect::inspect;
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::printable::{on_one_line, shown};
use repository::Repository;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use workflow::Workflow;

const EXAMPLES: &str = "\
Examples:
  heapmin init ./libmine.so
  heapmin init ./libmine.so --ci gitlab --expected tests/heap.toml";

#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct InitArgs {
    /// Library files, or names of known libraries
    ///
    /// [default: the library in the current folder that exports _heapmin]
    #[arg(value_hint = ValueHint::FilePath)]
    candidates: Vec<OsString>,
    /// CI system for which to write a workflow
    #[arg(long, value_enum, default_value_t = Ci::Github, help_heading = WHAT)]
    ci: Ci,
    /// File for the expected results [default: expected.toml in the root of the repository]
    ///
    /// The root is the folder with .git, or the current folder.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = WHAT)]
    expected: Option<PathBuf>,
    /// Replace files that exist
    ///
    /// The reasons in an old expected-results file are lost. `heapmin check --update` keeps them.
    #[arg(long, help_heading = WHAT)]
    force: bool,
    #[command(flatten)]
    clauses: ClausesArgs,
    #[command(flatten)]
    judged_by: ProfileArgs,
    #[command(flatten)]
    surroundings: SurroundingsArgs,
    #[command(flatten)]
    runner: RunnerArgs,
}

const WHAT: &str = "What to write";

/// The CI systems that have a workflow.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Ci {
    /// .github/workflows/heapmin.yml
    Github,
    /// .gitlab/heapmin-jobs.yml, and .gitlab-ci.yml if it is missing
    Gitlab,
    /// No workflow
    None,
}

pub(super) fn init(args: &InitArgs) -> Result<u8, InputError> {
    let repository = Repository::here()?;
    let candidates = match args.candidates.as_slice() {
        [] => vec![only_library_here()?],
        named => named.to_vec(),
    };
    let libraries = libraries(&candidates, &repository)?;
    let expected = match &args.expected {
        Some(path) => repository.inside(path)?,
        None => "expected.toml".into(),
    };
    let options = options(args, &repository)?;
    let profile = profile(args, &repository)?;
    if libraries
        .iter()
        .chain(&profile)
        .chain(&options)
        .any(|it| *it == expected)
    {
        return Err(InputError::new(
            format!("{expected} is a file that the check reads"),
            "name another file with --expected",
        ));
    }
    let workflow = Workflow {
        libraries: libraries.clone(),
        expected: expected.clone(),
        profile,
        options,
        build: repository.build_command(),
    };
    let has_pipeline = repository.root.join(workflow::PIPELINE).exists();
    let mut files = Files::new(&repository.root, args.force);
    files.plan(&expected, String::new())?;
    match args.ci {
        Ci::Github => files.plan(workflow::GITHUB, workflow.github())?,
        Ci::Gitlab => {
            files.plan(workflow::GITLAB, workflow.gitlab())?;
            if !has_pipeline {
                files.plan(workflow::PIPELINE, workflow::pipeline())?;
            }
        }
        Ci::None => {}
    }
    files.check()?;
    let (run, text) = match checked(&workflow, &repository)? {
        Check::Made(run, text) => (run, text),
        Check::Refused(status) => return Ok(status),
    };
    if run.status != AS_EXPECTED {
        for complaint in &run.complaints {
            note(&complaint.message);
        }
        note("some results cannot be listed as known deviations; nothing was written");
        return Ok(DEVIATION);
    }
    files.set(&expected, text.clone());
    files.write()?;
    if !super::messages::is_quiet() {
        let entries = Expected::parse(&expected, &text)?;
        let mut account = account(&files, &workflow, &repository, &entries);
        account += &assumptions(args.ci, has_pipeline, &workflow, &run);
        account += &next(&workflow, &repository);
        Output::Standard.write(&account)?;
    }
    Ok(AS_EXPECTED)
}

/// The library file of the current folder that exports `_heapmin`.
fn only_library_here() -> Result<OsString, InputError> {
    let entries = fs::read_dir(".").into_iter().flatten().flatten();
    let mut found: Vec<OsString> = entries.map(|it| it.file_name()).collect();
    found.retain(|name| {
        let ending = Path::new(name).extension();
        let is_library = ending.is_some_and(|it| it == "so" || it == "dll" || it == "dylib");
        let exports = |name: &OsString| inspect(Path::new(name)).map(|it| it.exports);
        is_library && exports(name).is_ok_and(|names| names.iter().any(|it| it.contains("heapmin")))
    });
    found.sort();
    match found.as_slice() {
        [library] => Ok(library.clone()),
        [] => Err(InputError::new(
            "no library in this folder exports _heapmin",
            "name the library: `heapmin init path/to/LIBRARY`",
        )),
        several => {
            let names: Vec<_> = several.iter().take(5).map(|it| shown(it)).collect();
            Err(InputError::new(
                format!(
                    "several libraries here export _heapmin: {}",
                    names.join(", ")
                ),
                "name those to check",
            ))
        }
    }
}

/// The libraries as the workflow names them: known names, and paths from the root.
fn libraries(named: &[OsString], repository: &Repository) -> Result<Vec<String>, InputError> {
    let known = catalogue()?.profiles;
    let is_known = |name: &str| {
        let name = name.split(':').next().unwrap_or_default();
        known.iter().any(|it| it.name == name)
    };
    let place = |name: &OsString| match name.to_str() {
        Some(text) if is_known(text) => Ok(text.to_owned()),
        // The run refuses it with the usual message.
        Some(text) if !Path::new(text).exists() && !text.contains(['/', '\\']) => {
            Ok(text.to_owned())
        }
        _ => {
            let path = repository.place_of(Path::new(name))?;
            // A file that could be taken for the name of a known library, or for an option.
            let is_path = path.contains(['/', '.']) && !path.starts_with('-');
            Ok(match is_path && !is_known(&path) {
                true => path,
                false => format!("./{path}"),
            })
        }
    };
    named.iter().map(place).collect()
}

fn profile(args: &InitArgs, repository: &Repository) -> Result<Option<String>, InputError> {
    let name = args.judged_by.profile.as_deref();
    let place = |name: &str| match name.ends_with(".toml") {
        true => repository.place_of(Path::new(name)),
        false => Ok(name.to_owned()),
    };
    name.map(place).transpose()
}

/// The options that a check of the library needs, one word for each line of a workflow.
fn options(args: &InitArgs, repository: &Repository) -> Result<Vec<String>, InputError> {
    let mut words = Vec::new();
    let mut add = |option: &str, value: String| {
        words.extend([option.to_owned(), value]);
    };
    for pattern in &args.clauses.only {
        add("--only", pattern.clone());
    }
    for pattern in &args.clauses.skip {
        add("--skip", pattern.clone());
    }
    if let Some(heap) = &args.surroundings.heap {
        let path = Path::new(heap);
        let is_file = path.exists();
        add(
            "--heap",
            match is_file {
                true => repository.place_of(path)?,
                false => shown(heap),
            },
        );
    }
    for folder in &args.surroundings.search_folders {
        add("--library-path", repository.place_of(folder)?);
    }
    for (name, value) in &args.surroundings.env {
        add("--env", format!("{name}={value}"));
    }
    if let Some(runner) = &args.runner.runner {
        let mut words = runner.0.clone();
        if words[0].contains('/') {
            words[0] = below_root(Path::new(&words[0]), repository)?;
        }
        let words = shlex::try_join(words.iter().map(String::as_str));
        add("--runner", words.unwrap_or_default());
    }
    if let Some(wine) = &args.runner.wine {
        let is_path = wine.components().count() > 1;
        let place = match is_path {
            true => below_root(wine, repository)?,
            false => shown(wine.as_os_str()),
        };
        add("--wine", place);
    }
    if let Some(probe) = &args.runner.windows_probe {
        add("--windows-probe", repository.place_of(probe)?);
    }
    if args.clauses.preload {
        words.push("--preload".into());
    }
    match words.iter().find(|it| on_one_line(it) != **it) {
        None => Ok(words),
        Some(word) => Err(InputError::new(
            format!(
                "{} has a character that a workflow cannot have",
                on_one_line(word)
            ),
            "leave the option out, or rename the file",
        )),
    }
}

/// The path of a program as seen from the root. Without a `/`, it would be searched for.
fn below_root(program: &Path, repository: &Repository) -> Result<String, InputError> {
    let path = repository.place_of(program)?;
    Ok(match path.contains('/') {
        true => path,
        false => format!("./{path}"),
    })
}

/// How a check ended.
enum Check {
    /// With a record, and the text of the expected results.
    Made(Box<Run>, String),
    /// It was not made; the reason was written.
    Refused(u8),
}

/// Checks the libraries in another process of this program, in the root of the repository.
fn checked(workflow: &Workflow, repository: &Repository) -> Result<Check, InputError> {
    let cannot = |what: &str, error: &std::io::Error| {
        InputError::new(format!("{what}: {error}"), "try `heapmin check`")
    };
    let folder = tempfile::tempdir().map_err(|error| cannot("no temporary folder", &error))?;
    let (record, expected) = (folder.path().join("run.json"), folder.path().join("e.toml"));
    let program = std::env::current_exe();
    let program = program.map_err(|error| cannot("this program has no path", &error))?;
    let mut command = Command::new(program);
    command.arg("check").args(&workflow.options);
    if let Some(profile) = &workflow.profile {
        command.args(["--profile", profile]);
    }
    command.args(["--format", "json", "--output"]).arg(&record);
    command.arg("--expected").arg(&expected).arg("--update");
    let color = if color::is_on_stderr() {
        "always"
    } else {
        "never"
    };
    command
        .args(["--color", color, "--"])
        .args(&workflow.libraries);
    command.current_dir(&repository.root);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let names = workflow.libraries.join(", ");
    let clock = progress::clock("checking {msg}, {elapsed}");
    clock.set_message(names);
    let output = command.output();
    clock.finish_and_clear();
    let output = output.map_err(|error| cannot("this program cannot be started again", &error))?;
    let status = output
        .status
        .code()
        .and_then(|code| u8::try_from(code).ok());
    match status {
        Some(AS_EXPECTED | DEVIATION) => {
            let run = record::read(&record)?;
            let text = fs::read_to_string(&expected);
            let text = text.map_err(|error| cannot("the expected results are missing", &error))?;
            Ok(Check::Made(Box::new(run), text))
        }
        _ => {
            note(String::from_utf8_lossy(&output.stderr).trim_end());
            Ok(Check::Refused(status.unwrap_or(FAILED)))
        }
    }
}

/// What was written.
fn account(
    files: &Files,
    workflow: &Workflow,
    repository: &Repository,
    entries: &Expected,
) -> String {
    let mut text = String::new();
    if !repository.is_current {
        let root = shown(repository.root.as_os_str());
        writeln!(text, "in {root}:").expect("writing to a string");
    }
    for name in files.names() {
        let what = match name == workflow.expected {
            true => format!(
                ": {} with known deviations, {} that must be judged",
                clauses(entries.known.iter().map(|it| it.clause.as_str())),
                entries.judged.len()
            ),
            false => String::new(),
        };
        writeln!(text, "wrote {name}{what}").expect("writing to a string");
    }
    text
}

/// The number of clauses, `1 clause` or `2 clauses`.
fn clauses<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    match ids.collect::<BTreeSet<_>>().len() {
        1 => "1 clause".into(),
        count => format!("{count} clauses"),
    }
}

/// What must hold in CI for the workflow to work.
fn assumptions(ci: Ci, has_pipeline: bool, workflow: &Workflow, run: &Run) -> String {
    let mut text = String::from("\nThe workflow assumes, so read it before you commit it:\n");
    let mut line = |what: String| {
        writeln!(text, "- {what}").expect("writing to a string");
    };
    match ci {
        Ci::None => return String::new(),
        Ci::Github => line(format!(
            "its machine is like this one: {}",
            workflow::machine()
        )),
        Ci::Gitlab => line("its image, rust:1-bookworm, has what the build needs".into()),
    }
    if matches!(ci, Ci::Gitlab) && has_pipeline {
        line(format!(
            "{} includes it: add\n    include:\n      - local: {}",
            workflow::PIPELINE,
            workflow::GITLAB
        ));
    }
    let built = workflow.built().join(", ");
    match (workflow.build, built.as_str()) {
        (Some(command), built) if !built.is_empty() => {
            line(format!("`{command}` builds {built}"));
        }
        (None, built) if !built.is_empty() => {
            line(format!(
                "a command builds {built}: init found none; write it into the workflow"
            ));
        }
        _ => line(format!("the machine has {}", workflow.libraries.join(", "))),
    }
    line(format!(
        "heapmin {} is at {}",
        workflow::VERSION,
        workflow::HOME
    ));
    let foreign = run.candidates.iter().filter(|it| !it.run_by.is_empty());
    for library in foreign {
        let (name, by) = (&library.name, &library.run_by);
        line(format!(
            "{name} has {by} and the build of heapmin for it (docs/guide/runners.md)"
        ));
    }
    text
}

/// The command to give next.
fn next(workflow: &Workflow, repository: &Repository) -> String {
    let mut words = vec!["heapmin", "check", "--expected", &workflow.expected];
    if let Some(profile) = &workflow.profile {
        words.extend(["--profile", profile]);
    }
    words.extend(workflow.options.iter().map(String::as_str));
    words.extend(workflow.libraries.iter().map(String::as_str));
    let command = shlex::try_join(words).unwrap_or_default();
    let from = match repository.is_current {
        true => "",
        false => ", there",
    };
    format!(
        "\nGive each known deviation a reason, and commit the files.\nTo check again{from}:\n  {command}\n"
    )
}
