//! A Rust test target that checks a library: a test for each clause.
//!
//! The author of a C runtime adds this package to the `[dev-dependencies]`, and a test target
//! without libtest's own `main` to `Cargo.toml`:
//!
//! ```toml
//! [[test]]
//! name = "conformance"
//! harness = false
//! ```
//!
//! `tests/conformance.rs` is then one call:
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     heapmin_conformance::test::main(["target/libmycrt.so"])
//! }
//! ```
//!
//! `cargo test` has a test for each clause, `libmycrt.so::heapmin.success-returns-zero`. A
//! filter, `--list`, `--exact`, `--skip`, `--test-threads` and `--nocapture` work as in any
//! other test target, and so does `cargo nextest`. A clause that does not apply to the
//! library, or that cannot be judged here, is an ignored test, with the reason. [`Suite`] has
//! the options, such as a file of expected results.
//!
//! The program is its own probe: each case runs in a process of its own, so that a crash or a
//! hang of the library is one failed test. A Windows library on Linux needs Wine and
//! the Windows build of `heapmin`, as it does for `heapmin check`.

mod judging;
mod names;
mod subject;
mod update;

pub use judging::clause_trial;
#[doc(hidden)]
pub use names::concerns;
pub use subject::Subject;

use crate::clause::Clause;
use crate::expected::File;
use crate::load::load_all;
use crate::own_probe;
use crate::pace::Pace;
use crate::select::select;
use crate::shipped::{catalogue, runners};
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::parent::runners::Choice;
use heapmin_harness::parent::surroundings::Surroundings;
use heapmin_harness::text::input_error::InputError;
use judging::{cannot_apply, judged_trial, loading_trial};
use libtest_mimic::{Arguments, Trial};
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// The environment variable that makes a test program write its file of expected results.
pub const UPDATE_VARIABLE: &str = "HEAPMIN_UPDATE";
/// Exit status: the run itself failed.
const FAILED: u8 = 2;

/// The `main` of a test target that checks these libraries by all clauses.
///
/// A relative path is relative to the package's folder, where `cargo test` starts its tests.
pub fn main<L: Into<OsString>>(libraries: impl IntoIterator<Item = L>) -> ExitCode {
    Suite::new(libraries).main()
}

/// Libraries to check, and how.
///
/// ```no_run
/// use heapmin_conformance::test::Suite;
///
/// fn main() -> std::process::ExitCode {
///     Suite::new([concat!(env!("CARGO_MANIFEST_DIR"), "/build/libmycrt.so")])
///         .expected(concat!(env!("CARGO_MANIFEST_DIR"), "/expected.toml"))
///         .skip("process.*")
///         .main()
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Suite {
    libraries: Vec<OsString>,
    expected: Option<PathBuf>,
    profile: Option<String>,
    only: Vec<String>,
    skip: Vec<String>,
    is_preloaded: bool,
    surroundings: Surroundings,
}

impl Suite {
    /// Checks these libraries: paths, or names of known libraries such as `reference`.
    pub fn new<L: Into<OsString>>(libraries: impl IntoIterator<Item = L>) -> Suite {
        Suite {
            libraries: libraries.into_iter().map(Into::into).collect(),
            ..Suite::default()
        }
    }

    /// Lets the deviations pass that this file lists, and fails if one of them is gone.
    ///
    /// The file is that of `heapmin check --expected`. With `HEAPMIN_UPDATE=1` in the
    /// environment, the program runs no test and writes the file. If there are several
    /// libraries, each entry names its `candidate`.
    pub fn expected(self, file: impl Into<PathBuf>) -> Suite {
        let expected = Some(file.into());
        Suite { expected, ..self }
    }

    /// Judges the libraries by this profile: the name of a known library, or a `.toml` file.
    pub fn profile(self, profile: impl Into<String>) -> Suite {
        let profile = Some(profile.into());
        Suite { profile, ..self }
    }

    /// Has only clauses whose id matches this pattern, or that are of this family or routine
    /// (`heapmin`, `_heapmin`). Several calls add up.
    pub fn only(mut self, pattern: impl Into<String>) -> Suite {
        self.only.push(pattern.into());
        self
    }

    /// Leaves out the clauses that [`Suite::only`] with this pattern would have.
    pub fn skip(mut self, pattern: impl Into<String>) -> Suite {
        self.skip.push(pattern.into());
        self
    }

    /// Also checks the clauses about libraries that replace the system's heap (`LD_PRELOAD`).
    pub fn preloaded(self) -> Suite {
        let is_preloaded = true;
        Suite {
            is_preloaded,
            ..self
        }
    }

    /// Gives the libraries what they need besides their own files: the library of their heap,
    /// folders for the loader, environment variables.
    pub fn surroundings(self, surroundings: Surroundings) -> Suite {
        Suite {
            surroundings,
            ..self
        }
    }

    /// The `main` of the test target. Call it first: the program is started again as its own
    /// probe, and this call then does not return.
    ///
    /// The exit status is 0 if every test passed or was ignored, 101 if one failed, and 2 if
    /// the libraries, the options or the file are wrong; a message then says what to do.
    pub fn main(&self) -> ExitCode {
        own_probe::run_if_started_as_one();
        let arguments = Arguments::from_args();
        let result = match std::env::var_os(UPDATE_VARIABLE).is_some_and(|it| it == "1") {
            true => update::update(self, &arguments).map(|line| {
                println!("{line}");
                ExitCode::SUCCESS
            }),
            false => self.trials(&arguments).map(|trials| {
                let conclusion = libtest_mimic::run(&arguments, trials);
                conclusion.exit_code()
            }),
        };
        result.unwrap_or_else(|error| {
            eprintln!("error: {}", in_own_words(&error.to_string()));
            ExitCode::from(FAILED)
        })
    }

    /// The trials that the arguments can select. Without `--list`, each of their libraries is
    /// loaded once.
    fn trials(&self, arguments: &Arguments) -> Result<Vec<Trial>, InputError> {
        let clauses = self.clauses()?;
        let expected = self.expected_file(false)?.map(Arc::new);
        let named = names::of(self.candidates()?);
        if let Some(file) = &expected {
            names::require_in(file, &named)?;
        }
        let concerned = |(name, _): &(String, _)| names::concerns(arguments, name);
        let (names, candidates): (Vec<_>, Vec<_>) = named.into_iter().filter(concerned).unzip();
        // To list the trials, nothing is started.
        let (candidates, pace) = match arguments.list {
            true => (candidates, Pace::default()),
            false => loaded(candidates)?,
        };
        let pace = Arc::new(pace);
        let mut trials = Vec::new();
        for (name, candidate) in names.into_iter().zip(candidates) {
            let subject = Subject::new(name, candidate, pace.clone(), expected.clone())?;
            let subject = Arc::new(subject);
            trials.push(loading_trial(&subject));
            // One failed test says it all. Only a runner that starts a process for each test
            // must find the others, and then they fail as well.
            if subject.is_loaded() || arguments.exact {
                trials.extend(judged_trial(&subject, &clauses));
                trials.extend(clauses.iter().map(|clause| {
                    // A test that runs says why it is ignored. A list cannot, and a runner
                    // such as nextest starts no process for an ignored test.
                    let is_listed = arguments.list || arguments.ignored;
                    let is_ignored = is_listed && cannot_apply(&subject.candidate, clause);
                    clause_trial(&subject, clause).with_ignored_flag(is_ignored)
                }));
            }
        }
        Ok(trials)
    }

    fn clauses(&self) -> Result<Vec<&'static Clause>, InputError> {
        select(&self.only, &self.skip)
    }

    fn expected_file(&self, is_updated: bool) -> Result<Option<File>, InputError> {
        let path = self.expected.as_deref();
        path.map(|path| File::open(path, is_updated)).transpose()
    }

    fn candidates(&self) -> Result<Vec<Candidate>, InputError> {
        if self.libraries.is_empty() {
            let problem = "this test program names no library";
            return Err(InputError::new(problem, "give Suite::new a path"));
        }
        let catalogue = catalogue()?;
        let profile = self.profile.as_deref();
        let profile = profile.map(|name| catalogue.profile(name)).transpose()?;
        let runners = runners(Choice::default())?;
        let candidate = |library: &OsString| {
            let candidate = catalogue.candidate(library, profile.as_ref(), &runners)?;
            let candidate = self.surroundings.of(candidate, &catalogue)?;
            candidate.check_heap()?;
            match self.is_preloaded {
                true => candidate.standing_in(),
                false => Ok(candidate),
            }
        };
        self.libraries.iter().map(candidate).collect()
    }
}

/// A message about the file of expected results, with the variable in place of the option of
/// `heapmin check`.
fn in_own_words(message: &str) -> String {
    let set = format!("{UPDATE_VARIABLE}=1");
    let words = [
        ("with `--expected FILE --update`", format!("with {set}")),
        ("with --update", format!("with {set}")),
        ("add --update", format!("set {set}")),
        ("remove --update", format!("unset {UPDATE_VARIABLE}")),
        ("--update", set),
    ];
    let mut message = message.to_owned();
    for (option, variable) in words {
        message = message.replace(option, &variable);
    }
    message
}

/// Measures the machine for these candidates, and loads each once.
///
/// # Errors
/// If the loader rejects one, or it has no heap.
fn loaded(mut candidates: Vec<Candidate>) -> Result<(Vec<Candidate>, Pace), InputError> {
    let pace = Pace::measured(candidates.iter().map(|it| &it.runner), 1, 1);
    for candidate in &mut candidates {
        let memory = pace.memory(&candidate.runner);
        candidate.runner.sees_memory = memory.is_seen;
        candidate.runner.frees_threads = memory.frees_threads;
    }
    let (loaded, mut refused) = load_all(candidates, 1, &pace);
    match refused.is_empty() {
        true => Ok((loaded, pace)),
        false => Err(refused.remove(0).error),
    }
}

/// The path of a shared library that Cargo builds with this test program: a library of this
/// package or of one of its dependencies, with the crate type `cdylib` beside `rlib`.
///
/// ```no_run
/// use heapmin_conformance::test;
///
/// fn main() -> std::process::ExitCode {
///     test::main([test::built("mycrt")])
/// }
/// ```
///
/// The path does not depend on the folder in which the program is started.
pub fn built(crate_name: &str) -> PathBuf {
    let name = format!("{DLL_PREFIX}{}{DLL_SUFFIX}", crate_name.replace('-', "_"));
    let program = std::env::current_exe().unwrap_or_default();
    // Cargo puts test programs, and the libraries that they depend on, into this folder.
    program.with_file_name(name)
}
