//! Test targets of the kind that [`heapmin_conformance::test`] makes for the author of a
//! library. With the variable SUITE, this program is such a target; else it starts itself.

use heapmin_conformance::test::{Suite, UPDATE_VARIABLE};
use heapmin_test_libraries::candidate;
use libtest_mimic::{Arguments, Failed, Trial};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

/// The libraries of the target, separated by colons.
const LIBRARIES: &str = "SUITE";
/// Its file of expected results.
const EXPECTED: &str = "SUITE_EXPECTED";
/// Its clauses.
const ONLY: &str = "SUITE_ONLY";

fn main() -> ExitCode {
    if let Ok(libraries) = std::env::var(LIBRARIES) {
        let mut suite = Suite::new(libraries.split(':').filter(|it| !it.is_empty()));
        if let Ok(pattern) = std::env::var(ONLY) {
            suite = suite.only(pattern);
        }
        if let Some(file) = std::env::var_os(EXPECTED) {
            suite = suite.expected(file);
        }
        return suite.main();
    }
    let arguments = Arguments::from_args();
    libtest_mimic::run(&arguments, trials()).exit_code()
}

/// A run of a target.
struct Run {
    libraries: String,
    expected: Option<PathBuf>,
    only: &'static str,
    is_update: bool,
    folder: Option<PathBuf>,
}

/// The clauses that these tests need, in a few cases.
const FEW: &str = "heapmin.{exported,success-returns-zero,success-keeps-errno,failure-*}";

impl Run {
    fn of(libraries: &[&str]) -> Run {
        Run {
            libraries: libraries.join(":"),
            expected: None,
            only: FEW,
            is_update: false,
            folder: None,
        }
    }

    fn output(&self, arguments: &[&str]) -> Output {
        let program = std::env::current_exe().expect("this program");
        let mut command = Command::new(program);
        command.args(arguments).env(LIBRARIES, &self.libraries);
        command.env(ONLY, self.only).env_remove(UPDATE_VARIABLE);
        if let Some(file) = &self.expected {
            command.env(EXPECTED, file);
        }
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        if self.is_update {
            command.env(UPDATE_VARIABLE, "1");
        }
        command.output().expect("this program starts")
    }

    /// Fails unless the run has this exit status, and its output has each of these texts.
    fn expect(&self, arguments: &[&str], status: i32, texts: &[&str]) -> Result<(), Failed> {
        let output = self.output(arguments);
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        let missing = texts.iter().find(|part| !text.contains(**part));
        if output.status.code() == Some(status) && missing.is_none() {
            return Ok(());
        }
        let status = output.status;
        Err(format!("{status}, missing {missing:?} in:\n{text}").into())
    }
}

fn write(folder: &Path, text: &str) -> PathBuf {
    let file = folder.join("expected.toml");
    std::fs::write(&file, text).expect("a temporary folder can be written");
    file
}

fn trials() -> Vec<Trial> {
    let test = |name: &str, run: fn() -> Result<(), Failed>| Trial::test(name, run);
    if !cfg!(target_os = "linux") {
        eprintln!("skipped: the small libraries are built on Linux only");
        return Vec::new();
    }
    vec![
        test("a_sound_library_passes", || {
            let texts = [
                "test reference::heapmin.success-returns-zero",
                "test reference::is-judged",
                "; 0 failed;",
            ];
            Run::of(&["reference"]).expect(&[], 0, &texts)
        }),
        test("the_list_starts_no_process_of_the_library", || {
            let run = Run::of(&[candidate("crashes_on_load")]);
            let listed = "libcrashes_on_load.so::heapmin.exported: test";
            run.expect(&["--list", "--format", "terse"], 0, &[listed])
        }),
        test(
            "the_list_of_ignored_tests_has_the_routines_that_are_missing",
            || {
                let run = Run {
                    only: "{heapset.fills-*,heapmin.exported}",
                    ..Run::of(&[candidate("returns_zero")])
                };
                let listed = |arguments: &[&str]| {
                    let output = run.output(arguments);
                    String::from_utf8_lossy(&output.stdout).into_owned()
                };
                let ignored = listed(&["--list", "--format", "terse", "--ignored"]);
                let all = listed(&["--list", "--format", "terse"]);
                let is_right = ignored.contains("heapset.fills-")
                    && !ignored.contains("heapmin.exported")
                    && all.contains("heapmin.exported");
                match is_right {
                    true => Ok(()),
                    false => Err(format!("ignored:\n{ignored}all:\n{all}").into()),
                }
            },
        ),
        test("a_deviation_fails_with_the_promise_and_its_source", || {
            let texts = [
                "libreturns_one.so::heapmin.success-returns-zero",
                "promise ",
                "observed ",
                "https://learn.microsoft.com/",
            ];
            Run::of(&[candidate("returns_one")]).expect(&[], 101, &texts)
        }),
        test("a_filter_may_be_the_word_that_starts_a_probe", || {
            let texts = ["running 0 tests"];
            Run::of(&["reference"]).expect(&["probe"], 0, &texts)
        }),
        test("a_crash_fails_the_clauses_that_it_concerns", || {
            let run = Run::of(&[candidate("crashes_in_heapmin")]);
            let name = "libcrashes_in_heapmin.so::heapmin.";
            run.expect(
                &["--exact", &format!("{name}success-returns-zero")],
                101,
                &["crash", "SIGSEGV"],
            )?;
            run.expect(&["--exact", &format!("{name}exported")], 0, &["1 passed"])
        }),
        test(
            "a_library_that_ends_while_it_is_loaded_is_one_failure",
            || {
                let run = Run::of(&[candidate("crashes_on_load")]);
                run.expect(
                    &[],
                    101,
                    &["crashes_on_load.so::loads", "0 passed; 1 failed"],
                )
            },
        ),
        test(
            "a_runner_of_single_tests_sees_each_fail_that_was_not_run",
            || {
                let run = Run::of(&[candidate("crashes_on_load")]);
                let name = "libcrashes_on_load.so::heapmin.exported";
                run.expect(&["--exact", name], 101, &["0 passed; 1 failed"])
            },
        ),
        test("a_library_whose_heapmin_was_not_judged_fails", || {
            let run = Run::of(&[candidate("decorated")]);
            run.expect(&["is-judged"], 101, &["say nothing about _heapmin"])
        }),
        test(
            "a_clause_without_a_routine_is_ignored_with_the_reason",
            || {
                let run = Run {
                    only: "heapset",
                    ..Run::of(&[candidate("returns_zero")])
                };
                run.expect(
                    &["heapset.fills"],
                    0,
                    &["does not export _heapset", "1 ignored"],
                )
            },
        ),
        test("wrong_input_ends_with_status_2_and_a_mend", || {
            let missing = Run::of(&["/no/such/library.so"]);
            missing.expect(&[], 2, &["error: ", "/no/such/library.so"])?;
            missing.expect(&["--list"], 2, &["error: "])?;
            Run::of(&[]).expect(&[], 2, &["names no library"])?;
            let pattern = Run {
                only: "heapmin.exportde",
                ..Run::of(&["reference"])
            };
            pattern.expect(&[], 2, &["did you mean heapmin.exported?"])?;
            let folder = tempfile::tempdir()?;
            let wrong = Run {
                expected: Some(write(
                    folder.path(),
                    "[[known]]\nclause = 'heapmin.exported'\n",
                )),
                ..Run::of(&["reference"])
            };
            wrong.expect(&[], 2, &["expected.toml", "missing field `why`"])
        }),
        test("an_update_lists_what_fails_and_the_tests_then_pass", || {
            let folder = tempfile::tempdir()?;
            let run = Run {
                expected: Some(folder.path().join("expected.toml")),
                ..Run::of(&[candidate("returns_one")])
            };
            let update = Run {
                is_update: true,
                expected: run.expected.clone(),
                ..Run::of(&[candidate("returns_one")])
            };
            run.expect(&[], 2, &["set HEAPMIN_UPDATE=1 to create the file"])?;
            update.expect(&["heapmin"], 2, &["writes the whole file"])?;
            update.expect(&[], 0, &["expected.toml: created", "added 3"])?;
            run.expect(&[], 0, &["; 0 failed;"])
        }),
        test("a_listed_deviation_that_is_gone_fails", || {
            let folder = tempfile::tempdir()?;
            let text = "[[known]]\nclause = 'heapmin.exported'\nwhy = 'w'\n";
            let run = Run {
                expected: Some(write(folder.path(), text)),
                ..Run::of(&["reference"])
            };
            run.expect(&[], 101, &["heapmin.exported no longer fails", "1 failed"])
        }),
        test("an_entry_names_its_library_if_there_are_several", || {
            let folder = tempfile::tempdir()?;
            let entry = |key: &str| {
                format!("[[known]]\nclause = 'heapmin.success-returns-zero'\nwhy = 'w'\n{key}")
            };
            let run = |key: &str| Run {
                expected: Some(write(folder.path(), &entry(key))),
                only: "heapmin.success-returns-zero",
                ..Run::of(&[candidate("returns_one"), candidate("fails_the_second_time")])
            };
            run("").expect(&[], 2, &["expected.toml:1", "add the key candidate"])?;
            let key = "candidate = 'libreturns_one.so'\n";
            let kept = "libfails_the_second_time.so::heapmin.success-returns-zero";
            run(key).expect(&[], 0, &[kept, "; 0 failed;"])
        }),
        test("a_path_does_not_depend_on_the_folder_of_the_run", || {
            let folder = tempfile::Builder::new().prefix("with space").tempdir()?;
            let library = folder.path().join("lib returns one.so");
            std::fs::copy(candidate("returns_one"), &library)?;
            let run = Run {
                folder: Some(folder.path().to_owned()),
                ..Run::of(&[&library.to_string_lossy()])
            };
            let name = "lib returns one.so::heapmin.exported";
            run.expect(&["--exact", name], 0, &["1 passed"])?;
            let relative = Run {
                folder: Some(folder.path().to_owned()),
                ..Run::of(&["./lib returns one.so"])
            };
            relative.expect(&["--exact", name], 0, &["1 passed"])
        }),
    ]
}
