//! The C file of `heapmin repro` shows what the clause says: it fails on a mutant that
//! breaks the clause, and passes on sound heaps.
//!
//! With HEAPMIN_REPRO=every-library each file runs on every stranger too, the compilers for
//! Windows check it, and some files run under Wine.
#![cfg(target_os = "linux")]

mod required;

use heapmin_conformance::clause::{Clause, Level, Verdict};
use heapmin_conformance::clauses;
use heapmin_conformance::observe::observe;
use heapmin_conformance::repro::{self, Style};
use heapmin_conformance::run::{judge_observation, seen_by};
use heapmin_conformance::shipped::{catalogue, runners_of};
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::parent::runners::Choice;
use heapmin_harness::wire::observation::{Ending, Observation};
use heapmin_test_libraries::{MUTANTS, Mutant, SOUND, STAND_IN, STAND_INS, STRANGERS};
use libtest_mimic::{Arguments, Failed, Trial};
use required::skip;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;
use tempfile::TempDir;

const TIMEOUT: Duration = Duration::from_secs(60);
const EVERY_LIBRARY: (&str, &str) = ("HEAPMIN_REPRO", "every-library");
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guide/repro.md");

/// The exit statuses of a file.
const RIGHT: i32 = 0;
const WRONG: i32 = 1;
const NOT_APPLICABLE: i32 = 77;

/// The lines of code, without comments and empty lines, that a file has at most if it
/// repeats one call, and if it tries many. A file that makes the system refuse, or is about a
/// process, may have more.
const ONE_CALL: usize = 105;
const MANY_CALLS: usize = 160;

/// Clauses that no mutant breaks, because only Windows has what they are about. See
/// [`UNDER_WINE`].
const ONLY_WINDOWS: &[&str] = &[
    "get-heap-handle.exported",
    "heapmin.nothing-free",
    "get-heap-handle.owns-the-blocks",
    "get-heap-handle.keeps-errno",
];

/// Clauses that the sound heap breaks with the profile of ucrtbase, which says that the
/// routine is gone.
const BY_PROFILE: &[&str] = &["heapset.exported", "heapadd.exported"];

fn main() -> ExitCode {
    let mut trials = vec![
        Trial::test("page-of-the-book", page_of_the_book),
        Trial::test("output-in-the-book", output_in_the_book),
        Trial::test("a-recorded-clause-has-no-file", recorded_clauses),
        Trial::test("wrong-arguments", wrong_arguments),
        Trial::test("a-sequence-of-fuzz", sequence_of_fuzz),
    ];
    if is_set(EVERY_LIBRARY) {
        trials.push(Trial::test("under-wine", under_wine));
    }
    for clause in judged().filter(|clause| repro::refuse(clause).is_ok()) {
        if !ONLY_WINDOWS.contains(&clause.id) {
            trials.push(Trial::test(clause.id, move || shows(clause)));
        }
    }
    let mut arguments = Arguments::from_args();
    // Some trials wait for the end of a time limit.
    arguments.test_threads.get_or_insert(4);
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn judged() -> impl Iterator<Item = &'static Clause> {
    clauses::all().filter(|clause| clause.level != Level::Record)
}

fn about_a_process(clause: &Clause) -> bool {
    clause.cases.iter().all(|case| case.stand_in.is_some())
}

fn is_set((name, value): (&str, &str)) -> bool {
    std::env::var_os(name).is_some_and(|set| set == value)
}

fn candidate(library: &str, profile: &str) -> Result<Candidate, Failed> {
    let catalogue = catalogue()?;
    let profile = catalogue.profile(profile)?;
    let runners = runners_of(env!("CARGO_BIN_EXE_heapmin").into(), Choice::default());
    Ok(catalogue.candidate(library, Some(&profile), &runners)?)
}

/// The libraries that break a clause, with the profile that makes them do so. The one that
/// breaks the fewest clauses comes first: it breaks this one directly.
fn broken(clause: &Clause) -> Vec<(&'static str, &'static str, &'static str)> {
    if BY_PROFILE.contains(&clause.id) {
        return vec![("sound", SOUND, "ucrtbase")];
    }
    let breaks = |mutant: &&Mutant| mutant.breaks.contains(&clause.id);
    let mut mutants: Vec<&Mutant> = MUTANTS.iter().chain(STAND_INS).filter(breaks).collect();
    mutants.sort_by_key(|it| (it.hangs, it.breaks.len()));
    mutants
        .iter()
        .map(|it| (it.name, it.path, "reference"))
        .collect()
}

/// The libraries that keep a clause, with their names.
fn sound(clause: &Clause) -> Result<Vec<(&'static str, PathBuf)>, Failed> {
    // The stand-in lacks the routines that are gone.
    if about_a_process(clause) || BY_PROFILE.contains(&clause.id) {
        return Ok(vec![("stand-in", STAND_IN.into())]);
    }
    let reference = candidate("reference", "reference")?.path;
    let mut found = vec![("sound", SOUND.into()), ("reference", reference)];
    if is_set(EVERY_LIBRARY) {
        found.extend(STRANGERS.iter().map(|(name, path)| (*name, path.into())));
    }
    Ok(found)
}

/// The file of a clause fails on a mutant, and passes where the clause is kept.
fn shows(clause: &'static Clause) -> Result<(), Failed> {
    let broken = broken(clause);
    let mutant = broken
        .iter()
        .find(|(name, ..)| !NOT_SHOWN.contains(&(clause.id, name)));
    let (name, path, profile) = mutant.ok_or("no mutant breaks the clause")?;
    let mut subject = candidate(path, profile)?;
    subject.stands_in = about_a_process(clause);
    let text = text(clause, &subject)?;
    let folder = tempfile::tempdir()?;
    let program = compiled(&text, &folder)?;
    if is_set(EVERY_LIBRARY) && !about_a_process(clause) {
        compile_for_windows(&folder.path().join("repro.c"))?;
    }
    let mut wrong = String::new();
    let (status, output) = run(&program, Path::new(path))?;
    if status != WRONG {
        writeln!(wrong, "{name}: status {status}\n{output}")?;
    }
    let mut right = 0;
    for (name, path) in sound(clause)? {
        let (status, output) = run(&program, &path)?;
        right += u32::from(status == RIGHT);
        if status != RIGHT && status != NOT_APPLICABLE {
            writeln!(wrong, "{name} keeps the clause: status {status}\n{output}")?;
        }
    }
    if right == 0 {
        writeln!(wrong, "the file passes on no library")?;
    }
    let lines = text.lines().filter(|line| is_code(line)).count();
    let most = match repro::is_declared(clause) {
        true => MANY_CALLS,
        false => ONE_CALL,
    };
    if lines > most && !may_be_long(clause, &text) {
        writeln!(wrong, "the file has {lines} lines, more than {most}")?;
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(wrong.into()),
    }
}

fn is_code(line: &str) -> bool {
    let line = line.trim_start();
    !(line.is_empty() || line.starts_with("/*") || line.starts_with("* ") || line == "*")
}

fn may_be_long(clause: &Clause, text: &str) -> bool {
    text.contains("refuse(") || text.contains("in_fork(") || about_a_process(clause)
}

/// Mutants that break a clause, and that its file does not show: their defect needs a
/// thread, another routine, or a refusal of the system in one of the many combinations, which
/// the file leaves out. The file shows another mutant.
const NOT_SHOWN: &[(&str, &str)] = &[
    ("malloc.combinations", "malloc_spoils_a_block_when_it_fails"),
    ("malloc.combinations", "malloc_spoils_blocks_of_threads"),
    (
        "realloc.combinations",
        "realloc_spoils_what_it_shrinks_when_a_release_is_refused",
    ),
    (
        "realloc.combinations",
        "realloc_spoils_the_block_when_memory_is_refused",
    ),
    (
        "recalloc.combinations",
        "blocks_take_twice_the_memory_after_two_heapmins",
    ),
    (
        "recalloc.combinations",
        "recalloc_spoils_the_block_when_a_release_is_refused",
    ),
    (
        "recalloc.combinations",
        "recalloc_thinks_that_refused_memory_is_zero",
    ),
    ("heapmin.combinations", "heapmin_returns_1_on_failure"),
    (
        "heapmin.combinations",
        "aligned_malloc_gives_50_bytes_for_100",
    ),
];

/// The file. It does not depend on the library if the clause has a body of its own.
fn text(clause: &'static Clause, subject: &Candidate) -> Result<String, Failed> {
    if repro::is_declared(clause) {
        let observation = Observation {
            events: Vec::new(),
            ending: Ending::Done,
            duration_ms: 0,
        };
        let seen = seen_by(clause, clause.cases[0], subject, &observation);
        return Ok(repro::of_clause(&seen, None, Style::Plain)?);
    }
    let mut found = String::new();
    for case in clause.cases {
        let observation = observe(subject, case, TIMEOUT);
        let judgement = judge_observation(clause, case, subject, &observation);
        if judgement.verdict.is_deviation() && judgement.verdict != Verdict::Error {
            let seen = seen_by(clause, case, subject, &observation);
            let observed = Some((&*judgement.observed, true));
            return Ok(repro::of_clause(&seen, observed, Style::Plain)?);
        }
        writeln!(found, "{}: {judgement:?}", case.name)?;
    }
    Err(format!("the mutant does not deviate: {found}").into())
}

/// The program of a file.
fn compiled(text: &str, folder: &TempDir) -> Result<PathBuf, Failed> {
    let (source, program) = (folder.path().join("repro.c"), folder.path().join("repro"));
    std::fs::write(&source, text)?;
    let compiled = Command::new("gcc")
        .args([
            "-O1",
            "-pipe",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-Wno-missing-field-initializers",
        ])
        .arg(&source)
        .arg("-o")
        .arg(&program)
        .args(["-ldl", "-lpthread"])
        .output()?;
    match compiled.status.success() {
        true => Ok(program),
        false => Err(format!("{}\n{text}", String::from_utf8_lossy(&compiled.stderr)).into()),
    }
}

/// Compiles a file with MinGW, and checks its syntax for MSVC with clang, if they are there.
fn compile_for_windows(source: &Path) -> Result<(), Failed> {
    const HEADERS: &str = "/usr/x86_64-w64-mingw32/include";
    let msvc = [
        "-target",
        "x86_64-pc-windows-msvc",
        "-U_MSC_VER",
        "-fgnuc-version=4.2.1",
        "-isystem",
        HEADERS,
        "-Wno-everything",
    ];
    for (compiler, options) in [("x86_64-w64-mingw32-gcc", &["-Wall"][..]), ("clang", &msvc)] {
        let compiled = Command::new(compiler)
            .args(["-fsyntax-only", "-Werror"])
            .args(options)
            .arg(source)
            .output();
        let Ok(compiled) = compiled else { continue };
        if !compiled.status.success() {
            let errors = String::from_utf8_lossy(&compiled.stderr);
            return Err(format!("{compiler}: {errors}").into());
        }
    }
    Ok(())
}

fn run(program: &Path, library: &Path) -> Result<(i32, String), Failed> {
    let output = Command::new(program).arg(library).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok((output.status.code().unwrap_or(-1), text))
}

fn recorded_clauses() -> Result<(), Failed> {
    for clause in clauses::all().filter(|clause| clause.level == Level::Record) {
        if repro::refuse(clause).is_ok() {
            return Err(format!("{} is only recorded", clause.id).into());
        }
    }
    Ok(())
}

/// Runs the command.
fn heapmin(arguments: &[&str]) -> Result<(Option<i32>, String, String), Failed> {
    let output = Command::new(env!("CARGO_BIN_EXE_heapmin"))
        .arg("repro")
        .args(arguments)
        .output()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    ))
}

/// The library of a mutant.
fn mutant(name: &str) -> Result<&'static str, Failed> {
    let found = MUTANTS.iter().find(|mutant| mutant.name == name);
    Ok(found.ok_or("no mutant has this name")?.path)
}

fn wrong_arguments() -> Result<(), Failed> {
    for (arguments, expected) in [
        (&["malloc.alignmet", SOUND][..], "malloc.alignment"),
        (&["heapmin.doserrno", SOUND], "recorded and never judged"),
        (
            &["malloc.alignment", SOUND, "--case", "malloc-many-size"],
            "malloc-many-sizes",
        ),
        (&["--script", "no-such-file", SOUND], "no-such-file"),
    ] {
        let (status, written, message) = heapmin(arguments)?;
        if status != Some(2) || !written.is_empty() || !message.contains(expected) {
            return Err(format!("{arguments:?}: {status:?}, {message}").into());
        }
    }
    Ok(())
}

/// A sequence that `heapmin fuzz` saves for a mutant fails on it, and passes on a sound heap.
fn sequence_of_fuzz() -> Result<(), Failed> {
    let path = mutant("calloc_leaves_bytes_as_they_were")?;
    let folder = tempfile::tempdir()?;
    let saved = folder.path().join("sequence.txt");
    let steps = "a = malloc(1000)\n1: b = malloc(24)\n2: churn(100, 50)\nfree(a)\n\
                 a = calloc(10, 100)\n_heapmin()\nb = realloc(b, 100)\n_msize(b)\n_heapchk()\n_heapwalk()\n\
                 c = _aligned_malloc(100, 64)\nd = malloc(18446744073709551615)\ncheck()\n";
    std::fs::write(&saved, format!("# heapmin fuzz, version 1\n{steps}"))?;
    let saved = saved.to_str().ok_or("a path in UTF-8")?;
    let (status, text, message) = heapmin(&["--script", saved, path, "--profile", "reference"])?;
    if status != Some(0) {
        return Err(message.into());
    }
    let program = compiled(&text, &folder)?;
    for (library, expected) in [(path, WRONG), (SOUND, RIGHT)] {
        let (status, output) = run(&program, Path::new(library))?;
        if status != expected {
            return Err(format!("{library}: status {status}\n{output}").into());
        }
    }
    Ok(())
}

/// The output that the book shows is that of a run.
fn output_in_the_book() -> Result<(), Failed> {
    let path = mutant("msize_of_null_is_0")?;
    let (status, text, message) =
        heapmin(&["msize.null-is-einval", path, "--profile", "reference"])?;
    if status != Some(0) || !message.contains("is `fail`") {
        return Err(message.into());
    }
    let folder = tempfile::tempdir()?;
    let (_, output) = run(&compiled(&text, &folder)?, Path::new(path))?;
    let page = std::fs::read_to_string(PAGE)?;
    match page.contains(&format!("```\n{output}```")) {
        true => Ok(()),
        false => Err(format!("docs/guide/repro.md does not show this output:\n{output}").into()),
    }
}

/// What Wine's libraries do with the files of some clauses, compiled with MinGW. The clauses
/// that only Windows has are among them.
const UNDER_WINE: &[(&str, &str, i32)] = &[
    ("recalloc.overflow", "ucrtbase.dll", WRONG),
    ("heapmin.failure-sets-enosys", "msvcrt.dll", WRONG),
    ("heapmin.nothing-free", "ucrtbase.dll", WRONG),
    ("heapwalk.exported", "msvcrt.dll", RIGHT),
    ("recalloc.exported", "msvcrt.dll", WRONG),
    ("get-heap-handle.exported", "msvcrt.dll", RIGHT),
    ("get-heap-handle.owns-the-blocks", "msvcrt.dll", RIGHT),
    ("get-heap-handle.keeps-errno", "msvcrt.dll", RIGHT),
    ("errno.per-thread", "ucrtbase.dll", RIGHT),
    ("recalloc.overflow", "no-such-library.dll", NOT_APPLICABLE),
];

/// The files do on Windows what they do on Linux. Without Wine or MinGW the trial says so;
/// with HEAPMIN_REQUIRE=all it fails instead.
fn under_wine() -> Result<(), Failed> {
    const MINGW: &str = "x86_64-w64-mingw32-gcc";
    let is_there = |program: &str| Command::new(program).arg("--version").output().is_ok();
    if let Some(missing) = [MINGW, "wine"].into_iter().find(|it| !is_there(it)) {
        skip(&format!("under-wine: {missing} not found"));
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let mut wrong = String::new();
    for (id, library, expected) in UNDER_WINE {
        let clause = judged().find(|clause| clause.id == *id);
        let text = text(
            clause.ok_or("no clause has this id")?,
            &candidate(SOUND, "reference")?,
        )?;
        let (source, program) = (
            folder.path().join("repro.c"),
            folder.path().join("repro.exe"),
        );
        std::fs::write(&source, text)?;
        let compiled = Command::new(MINGW)
            .args(["-O1", "-o"])
            .arg(&program)
            .arg(&source)
            .output()?;
        if !compiled.status.success() {
            return Err(String::from_utf8_lossy(&compiled.stderr)
                .into_owned()
                .into());
        }
        let output = Command::new("wine")
            .arg(&program)
            .arg(library)
            .env("WINEDEBUG", "-all")
            .output()?;
        if output.status.code() != Some(*expected) {
            let text = String::from_utf8_lossy(&output.stdout);
            writeln!(wrong, "{id}, {library}: {:?}\n{text}", output.status.code())?;
        }
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(wrong.into()),
    }
}

const START: &str = "<!-- clauses without a file: written by a test, see testing.md -->";

/// The list in the book matches the program. With UPDATE_BOOK=1 it is rewritten.
fn page_of_the_book() -> Result<(), Failed> {
    let text = std::fs::read_to_string(PAGE)?;
    let (before, found) = text.split_once(START).ok_or("the page has no list")?;
    let mut wanted = String::from("\n\n");
    for clause in clauses::all() {
        if let Some(reason) = repro::parts::without(clause) {
            writeln!(wanted, "- `{}`: {reason}", clause.id)?;
        }
    }
    if found == wanted {
        return Ok(());
    }
    if std::env::var_os("UPDATE_BOOK").is_none() {
        let mend = "run UPDATE_BOOK=1 cargo test -p heapmin-conformance --test repro page";
        return Err(format!("docs/guide/repro.md is not up to date: {mend}").into());
    }
    std::fs::write(PAGE, format!("{before}{START}{wanted}"))?;
    Ok(())
}
