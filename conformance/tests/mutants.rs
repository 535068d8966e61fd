//! Every judged clause can fail, and a sound heap passes all of them.
//!
//! A mutant is a sound heap, not the reference, in which a few routines have one
//! defect (`fixtures/test-libraries/mutants/`). The clauses that the mutant names
//! must fail, and no others. Slow cases run only for the clauses that a mutant
//! breaks. Without a filter, only every second mutant runs. With HEAPMIN_MUTANTS=every-case, all
//! mutants run all cases.
#![cfg(target_os = "linux")]

mod sound_heap;

use heapmin_conformance::clause::{Case, Verdict};
use heapmin_conformance::clauses;
use heapmin_test_libraries::{MUTANTS, Mutant, SOUND, STAND_INS};
use libtest_mimic::{Arguments, Failed, Trial};
use sound_heap::{
    NEED_MEMORY, Subject, about_a_process, candidate, families, judged, keeps_promises,
};
use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;

/// The time limit of a mutant that must hang.
const SHORT_TIMEOUT: Duration = Duration::from_secs(15);
const EVERY_CASE: (&str, &str) = ("HEAPMIN_MUTANTS", "every-case");
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/internals/mutants.md");

/// Slow cases: they take as long as all the others together.
const SLOW: &[&str] = &[
    "free-available-again",
    "fill-free-fill-again",
    "recalloc-growing",
    "malloc-size-class-edges",
    "release-64-byte-blocks",
    "threads-and-heapmin",
    "memory-limit",
    "release-scattered-tenth",
    "release-mixed-sizes",
    "heapset-fill",
    "expand-all-pairs",
    "malloc-after-fork",
    "malloc-freed-by-another-thread",
    "aligned-offset-malloc-all",
    "aligned-offset-realloc-resize",
    "realloc-all-pairs",
    "small-blocks-then-a-large-one",
    "fill-free-fill-again-large-blocks",
    "release-large-blocks",
    "release-large-blocks-partly",
    "walk-after-heapmin-large-blocks",
    "malloc-thousand-threads",
    "recalloc-histories",
    "aligned-realloc-histories",
    "aligned-realloc-large-alignments",
    "aligned-offset-realloc-histories",
    "aligned-offset-realloc-large-alignments",
    "aligned-recalloc-histories",
    "aligned-recalloc-large-alignments",
    "aligned-offset-recalloc-histories",
    "aligned-offset-recalloc-large-alignments",
];

/// Clauses that no mutant breaks, and why.
const EXEMPT: &[(&str, &str)] = &[
    (
        "heapmin.nothing-free",
        "only Windows has the call that finds nothing free",
    ),
    (
        "get-heap-handle.owns-the-blocks",
        "only Windows has the heap that is asked",
    ),
    (
        "get-heap-handle.keeps-errno",
        "only Windows has the heap that is asked",
    ),
];

/// Clauses that the sound heap breaks with a wrong profile.
const BY_PROFILE: &[&str] = &[
    "get-heap-handle.exported",
    "heapset.exported",
    "heapadd.exported",
    "heapmin.same-heap-through-alias",
];

fn main() -> ExitCode {
    let mut trials = vec![
        Trial::test("every-judged-clause-can-fail", every_clause_can_fail),
        Trial::test("page-of-the-book", page_of_the_book),
        Trial::test("sound-by-a-profile-that-is-wrong", by_a_wrong_profile),
        Trial::test("sound-with-another-name", with_another_name),
    ];
    // The slowest trials first, so that none of them runs alone at the end.
    for family in families(true) {
        let name = format!("sound::{family}");
        let sound = move || keeps_promises(candidate(SOUND, "reference", None)?, family, &[], &[]);
        trials.push(Trial::test(name, sound));
    }
    let arguments = Arguments::from_args();
    let is_whole = arguments.filter.is_some() || is_every_case();
    let mutants = MUTANTS.iter().enumerate();
    trials.extend(mutants.map(|(place, it)| {
        let trial = Trial::test(it.name, || mutant(it));
        trial.with_ignored_flag(!is_whole && place % 2 == 1)
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Whether the environment demands all cases of all mutants.
fn is_every_case() -> bool {
    let (name, value) = EVERY_CASE;
    std::env::var_os(name).is_some_and(|set| set == value)
}

fn has_case(id: &str, case: &Case) -> bool {
    let mut clauses = judged().filter(|clause| clause.id == id);
    clauses.any(|clause| clause.cases.iter().any(|it| it.name == case.name))
}

/// Whether the case judges a clause of the same family as the clause `id`.
fn shares_family(id: &str, case: &Case) -> bool {
    let family = |id: &str| id.split('.').next().map(str::to_owned);
    let mut clauses = judged().filter(|clause| family(clause.id) == family(id));
    clauses.any(|clause| clause.cases.iter().any(|it| it.name == case.name))
}

fn mutant(mutant: &Mutant) -> Result<(), Failed> {
    let mut subject = Subject::new(candidate(mutant.path, "reference", None)?);
    let wanted = match mutant.hangs {
        true => Verdict::Timeout,
        false => Verdict::Fail,
    };
    if mutant.hangs {
        subject.timeout = SHORT_TIMEOUT;
    }
    let every_case = is_every_case();
    for case in clauses::cases() {
        let is_its_own = || mutant.breaks.iter().any(|id| has_case(id, case));
        let is_related = || mutant.breaks.iter().any(|id| shares_family(id, case));
        if every_case || is_its_own() || is_related() && !SLOW.contains(&case.name) {
            subject.run(case);
        }
    }
    for id in mutant.breaks {
        let is_judged = judged().any(|clause| clause.id == *id);
        if !is_judged {
            return Err(format!("there is no judged clause {id}").into());
        }
    }
    let mut wrong = String::new();
    for id in mutant.breaks {
        let found = subject.deviations.get(id).into_iter().flatten();
        // These cases use the heap so much that some defects crash it first.
        let may_crash = id.ends_with(".combinations");
        let has_failed = found
            .clone()
            .any(|(verdict, _)| *verdict == wanted || may_crash && *verdict == Verdict::Crash);
        let cannot_tell = NEED_MEMORY.contains(id) && !subject.supported.contains(id);
        if !has_failed && !cannot_tell {
            writeln!(wrong, "{id} does not fail: {:?}", found.collect::<Vec<_>>())?;
        }
    }
    for (id, found) in &subject.deviations {
        if !mutant.breaks.contains(id) {
            writeln!(
                wrong,
                "{id} deviates, and the mutant does not name it: {found:?}"
            )?;
        }
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(wrong.into()),
    }
}

/// With a profile that promises routines which the library lacks, and says that
/// others are gone which it has, exactly the `exported` clauses fail.
fn by_a_wrong_profile() -> Result<(), Failed> {
    let mut subject = Subject::new(candidate(SOUND, "ucrtbase", None)?);
    let load = clauses::cases()
        .into_iter()
        .find(|case| case.name == "load");
    subject.run(load.expect("`load` is a case"));
    let found: Vec<_> = subject.deviations.keys().copied().collect();
    let mut wanted = BY_PROFILE.to_vec();
    wanted.retain(|id| id.ends_with(".exported"));
    wanted.sort_unstable();
    match found == wanted {
        true => Ok(()),
        false => Err(format!("{:#?}", subject.deviations).into()),
    }
}

/// The clause passes if the second name is the library's own, and fails if it is
/// another library's.
fn with_another_name() -> Result<(), Failed> {
    let id = "heapmin.same-heap-through-alias";
    let clause = judged()
        .find(|clause| clause.id == id)
        .expect("the clause exists");
    let stranger = MUTANTS.first().expect("there are mutants").path;
    for (alias, is_found_out) in [(SOUND, false), (stranger, true)] {
        let mut subject = Subject::new(candidate(SOUND, "reference", Some(alias))?);
        subject.run(clause.cases[0]);
        if !subject.supported.contains(&id) || subject.deviations.contains_key(id) != is_found_out {
            return Err(format!("{alias}: {:#?}", subject.deviations).into());
        }
    }
    Ok(())
}

fn every_clause_can_fail() -> Result<(), Failed> {
    let mut wrong = String::new();
    for clause in judged() {
        let id = clause.id;
        // `stand_ins.rs` tests those.
        if about_a_process(clause) {
            continue;
        }
        let is_broken =
            MUTANTS.iter().any(|mutant| mutant.breaks.contains(&id)) || BY_PROFILE.contains(&id);
        let is_exempt = EXEMPT.iter().any(|(exempt, _)| *exempt == id);
        match (is_broken, is_exempt) {
            (false, false) => writeln!(wrong, "{id}: no mutant breaks it")?,
            (true, true) => writeln!(wrong, "{id}: a mutant breaks it; remove it from EXEMPT")?,
            _ => {}
        }
    }
    for name in SLOW {
        if !clauses::cases().iter().any(|case| case.name == *name) {
            writeln!(wrong, "{name}: no case has this name; remove it from SLOW")?;
        }
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(wrong.into()),
    }
}

const START: &str = "<!-- mutants: written by a test, see testing.md -->";

/// The table in the book matches the fixtures. With UPDATE_BOOK=1 it is rewritten.
fn page_of_the_book() -> Result<(), Failed> {
    let text = std::fs::read_to_string(PAGE)?;
    let (before, found) = text.split_once(START).ok_or("the page has no table")?;
    let mut wanted = format!("\n\nThere are {} mutants.\n\n", MUTANTS.len());
    wanted += "| clause | broken by |\n| --- | --- |\n";
    for clause in judged() {
        writeln!(wanted, "| `{}` | {} |", clause.id, broken_by(clause.id))?;
    }
    if found == wanted {
        return Ok(());
    }
    if std::env::var_os("UPDATE_BOOK").is_none() {
        let mend =
            "run UPDATE_BOOK=1 cargo test -p heapmin-conformance --test mutants page-of-the-book";
        return Err(format!("docs/internals/mutants.md is not up to date: {mend}").into());
    }
    std::fs::write(PAGE, format!("{before}{START}{wanted}"))?;
    Ok(())
}

fn broken_by(id: &str) -> String {
    let mutants = MUTANTS.iter().chain(STAND_INS);
    let mutants = mutants.filter(|mutant| mutant.breaks.contains(&id));
    let mut names: Vec<_> = mutants.map(|mutant| format!("`{}`", mutant.name)).collect();
    if BY_PROFILE.contains(&id) {
        names.push("the sound heap with a profile that is not its own".into());
    }
    if let Some((_, why)) = EXEMPT.iter().find(|(exempt, _)| *exempt == id) {
        names.push(format!("nothing: {why}"));
    }
    names.join(", ")
}
