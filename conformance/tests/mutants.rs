//! Every judged clause can fail, and a sound heap passes all of them.
//!
//! A mutant is a sound heap, not the reference, with a few routines that are
//! wrong in one way (`fixtures/mutants/`). Its clauses, and no others, must
//! find that out. The slow cases are acted out for the clauses that a
//! mutant breaks; for all clauses with HEAPMIN_MUTANTS=every-case, as in CI.
#![cfg(target_os = "linux")]

use heapmin_conformance::BUILD;
use heapmin_conformance::clause::{Case, Clause, Level, Verdict};
use heapmin_conformance::clauses;
use heapmin_conformance::cli::catalogue;
use heapmin_conformance::run::{judge_observation, observe};
use heapmin_fixtures::{MUTANTS, Mutant, SOUND};
use heapmin_harness::candidate::Candidate;
use heapmin_harness::runner::Runners;
use libtest_mimic::{Arguments, Failed, Trial};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(180);
/// For a mutant that is to hang.
const SHORT_TIMEOUT: Duration = Duration::from_secs(15);
const EVERY_CASE: (&str, &str) = ("HEAPMIN_MUTANTS", "every-case");
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/mutants.md");

/// Cases that take as long as all the others together.
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
];

/// The sound heap has nothing to show for these here.
const NOT_OF_LINUX: &[(&str, &str)] = &[
    (
        "get-heap-handle.exported",
        "there is no Win32 heap to have a handle of",
    ),
    (
        "get-heap-handle.owns-the-blocks",
        "there is no Win32 heap to ask",
    ),
    (
        "get-heap-handle.keeps-errno",
        "there is no Win32 heap to ask",
    ),
    (
        "heapmin.same-heap-through-alias",
        "it has no second name; `sound-with-another-name` gives it one",
    ),
];

/// No mutant breaks these.
const EXEMPT: &[(&str, &str)] = &[
    (
        "get-heap-handle.owns-the-blocks",
        "only Windows has the heap that is asked",
    ),
    (
        "get-heap-handle.keeps-errno",
        "only Windows has the heap that is asked",
    ),
];

/// The sound heap breaks these where its profile says what is not so.
const BY_PROFILE: &[&str] = &[
    "get-heap-handle.exported",
    "heapset.exported",
    "heapadd.exported",
    "heapmin.same-heap-through-alias",
];

/// Where less memory is available, these have nothing to judge.
const NEED_MEMORY: &[&str] = &["malloc.large-blocks"];

fn main() -> ExitCode {
    let mut trials = vec![
        Trial::test("every-judged-clause-can-fail", every_clause_can_fail),
        Trial::test("page-of-the-book", page_of_the_book),
        Trial::test("sound-by-a-profile-that-is-wrong", by_a_wrong_profile),
        Trial::test("sound-with-another-name", with_another_name),
    ];
    // The longest first, so that none is left for the end.
    for family in families() {
        let name = format!("sound::{family}");
        trials.push(Trial::test(name, move || sound(family)));
    }
    let mutants = MUTANTS.iter();
    trials.extend(mutants.map(|it| Trial::test(it.name, || mutant(it))));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn families() -> Vec<&'static str> {
    let mut families: Vec<_> = clauses::all().map(family).collect();
    families.dedup();
    families
}

fn family(clause: &'static Clause) -> &'static str {
    clause.id.split_once('.').expect("an id has two parts").0
}

fn judged() -> impl Iterator<Item = &'static Clause> {
    clauses::all().filter(|clause| clause.level != Level::Record)
}

fn has_case(id: &str, case: &Case) -> bool {
    let mut clauses = judged().filter(|clause| clause.id == id);
    clauses.any(|clause| clause.cases.iter().any(|it| it.name == case.name))
}

/// A library of the fixtures, by the profile of this name.
fn candidate(library: &str, profile: &str, alias: Option<&str>) -> Result<Candidate, Failed> {
    let catalogue = catalogue()?;
    let mut profile = catalogue.profile(profile)?;
    profile.alias = alias.map(str::to_owned);
    let runners = Runners::new(env!("CARGO_BIN_EXE_heapmin").into(), BUILD, None);
    Ok(catalogue.candidate(library, Some(&profile), &runners)?)
}

/// What was seen of one library.
struct Subject {
    candidate: Candidate,
    timeout: Duration,
    /// Each deviation with what was seen, by its clause.
    deviations: BTreeMap<&'static str, Vec<(Verdict, String)>>,
    /// The clauses that had something to judge.
    supported: Vec<&'static str>,
}

impl Subject {
    fn new(candidate: Candidate) -> Subject {
        Subject {
            candidate,
            timeout: TIMEOUT,
            deviations: BTreeMap::new(),
            supported: Vec::new(),
        }
    }

    /// Runs a case and judges all its clauses by it.
    fn run(&mut self, case: &'static Case) {
        let observation = observe(&self.candidate, case, self.timeout);
        let concerned =
            judged().filter(|clause| clause.cases.iter().any(|it| it.name == case.name));
        for clause in concerned {
            let judgement = judge_observation(clause, case, &self.candidate, &observation);
            if judgement.verdict != Verdict::Unsupported {
                self.supported.push(clause.id);
            }
            if judgement.verdict.is_deviation() {
                let observed = format!("{}: {}", case.name, judgement.observed);
                let of_clause = self.deviations.entry(clause.id).or_default();
                of_clause.push((judgement.verdict, observed));
            }
        }
    }
}

fn mutant(mutant: &Mutant) -> Result<(), Failed> {
    let mut subject = Subject::new(candidate(mutant.library, "reference", None)?);
    let wanted = match mutant.hangs {
        true => Verdict::Timeout,
        false => Verdict::Fail,
    };
    if mutant.hangs {
        subject.timeout = SHORT_TIMEOUT;
    }
    let (name, value) = EVERY_CASE;
    let every_case = std::env::var_os(name).is_some_and(|set| set == value);
    for case in clauses::cases() {
        let is_its_own = || mutant.breaks.iter().any(|id| has_case(id, case));
        if every_case || !SLOW.contains(&case.name) || is_its_own() {
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
        let has_failed = found.clone().any(|(verdict, _)| *verdict == wanted);
        let cannot_tell = NEED_MEMORY.contains(id) && !subject.supported.contains(id);
        if !has_failed && !cannot_tell {
            writeln!(wrong, "{id} does not fail: {:?}", found.collect::<Vec<_>>())?;
        }
    }
    for (id, found) in &subject.deviations {
        if !mutant.breaks.contains(id) {
            writeln!(wrong, "{id} deviates, and is not named: {found:?}")?;
        }
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(wrong.into()),
    }
}

/// The sound heap keeps every promise of a family.
fn sound(family: &str) -> Result<(), Failed> {
    let mut subject = Subject::new(candidate(SOUND, "reference", None)?);
    let of_family = || judged().filter(|clause| self::family(clause) == family);
    for case in clauses::distinct(of_family().flat_map(|clause| clause.cases.iter().copied())) {
        subject.run(case);
    }
    if !subject.deviations.is_empty() {
        return Err(format!("{:#?}", subject.deviations).into());
    }
    for clause in of_family() {
        let excused = NOT_OF_LINUX.iter().any(|(id, _)| *id == clause.id);
        let supported = subject.supported.contains(&clause.id);
        if !NEED_MEMORY.contains(&clause.id) && supported == excused {
            return Err(format!("{}: supported: {supported}", clause.id).into());
        }
    }
    Ok(())
}

/// A profile that promises what the library does not have, and says that some
/// of what it has is gone.
fn by_a_wrong_profile() -> Result<(), Failed> {
    let mut subject = Subject::new(candidate(SOUND, "ucrtbase", None)?);
    let load = clauses::cases()
        .into_iter()
        .find(|case| case.name == "load");
    subject.run(load.expect("it is a case"));
    let found: Vec<_> = subject.deviations.keys().copied().collect();
    let mut wanted = BY_PROFILE.to_vec();
    wanted.retain(|id| id.ends_with(".exported"));
    wanted.sort_unstable();
    match found == wanted {
        true => Ok(()),
        false => Err(format!("{:#?}", subject.deviations).into()),
    }
}

/// By its own name a second time the heap is the same, by another library's
/// it is another.
fn with_another_name() -> Result<(), Failed> {
    let id = "heapmin.same-heap-through-alias";
    let clause = judged()
        .find(|clause| clause.id == id)
        .expect("it is a clause");
    let stranger = MUTANTS.first().expect("there are mutants").library;
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
        let is_broken =
            MUTANTS.iter().any(|mutant| mutant.breaks.contains(&id)) || BY_PROFILE.contains(&id);
        let is_exempt = EXEMPT.iter().any(|(exempt, _)| *exempt == id);
        match (is_broken, is_exempt) {
            (false, false) => writeln!(wrong, "{id}: nothing breaks it")?,
            (true, true) => writeln!(wrong, "{id}: it is no longer exempt")?,
            _ => {}
        }
    }
    for name in SLOW {
        if !clauses::cases().iter().any(|case| case.name == *name) {
            writeln!(wrong, "{name}: there is no such case")?;
        }
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(wrong.into()),
    }
}

const START: &str = "<!-- mutants: written by a test, see testing.md -->";

/// The book's table is that of the fixtures. With UPDATE_BOOK=1 it is written anew.
fn page_of_the_book() -> Result<(), Failed> {
    let text = std::fs::read_to_string(PAGE)?;
    let (before, found) = text.split_once(START).ok_or("the page has no table")?;
    let mut wanted = String::from("\n\n| clause | broken by |\n| --- | --- |\n");
    for clause in judged() {
        writeln!(wanted, "| `{}` | {} |", clause.id, broken_by(clause.id))?;
    }
    if found == wanted {
        return Ok(());
    }
    if std::env::var_os("UPDATE_BOOK").is_none() {
        let mend = "UPDATE_BOOK=1 cargo test --test mutants page-of-the-book writes it anew";
        return Err(format!("docs/mutants.md is not up to date: {mend}").into());
    }
    std::fs::write(PAGE, format!("{before}{START}{wanted}"))?;
    Ok(())
}

fn broken_by(id: &str) -> String {
    let mutants = MUTANTS.iter().filter(|mutant| mutant.breaks.contains(&id));
    let mut names: Vec<_> = mutants.map(|mutant| format!("`{}`", mutant.name)).collect();
    if BY_PROFILE.contains(&id) {
        names.push("the sound heap with a profile that is not its own".into());
    }
    if let Some((_, why)) = EXEMPT.iter().find(|(exempt, _)| *exempt == id) {
        names.push(format!("nothing: {why}"));
    }
    names.join(", ")
}
