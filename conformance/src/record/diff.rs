//! What changed between two runs. Totals are never subtracted: a clause that is gone from the
//! suite is no regression, and a library that is missing is said.

use super::{Library, Outcome, Run};
use crate::clause::Verdict;
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};

/// What changed between two runs.
#[derive(Debug, Default, Serialize)]
pub struct Diff {
    /// What makes the runs hard to compare: other machines, options or versions.
    pub warnings: Vec<String>,
    /// Libraries that only the old run has.
    pub missing: Vec<String>,
    /// Libraries that only the new run has.
    pub added: Vec<String>,
    /// Clauses that only the old run has.
    pub gone_clauses: Vec<String>,
    /// Clauses that only the new run has.
    pub added_clauses: Vec<String>,
    /// The results that changed.
    pub changes: Vec<Change>,
}

/// A result that changed.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// How.
    pub kind: How,
    /// The library, by the name of the new run.
    pub candidate: String,
    /// The clause.
    pub clause: String,
    /// The case.
    pub case: String,
    /// The verdict and what was seen, before.
    pub before: (Verdict, String),
    /// The verdict and what was seen, now.
    pub after: (Verdict, String),
}

/// How a result changed, the most serious first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// It deviates now, or in a worse way.
    Regressed,
    /// It was judged and is not now.
    Lost,
    /// It no longer deviates, or in a better way.
    Mended,
    /// It is judged now and was not.
    NewlyJudged,
    /// The verdict is the same, and something else was seen.
    ObservationChanged,
}

impl How {
    /// Every kind, in order, with the heading for readers.
    pub const ALL: [(How, &'static str); 5] = [
        (How::Regressed, "regressed"),
        (How::Lost, "no longer judged"),
        (How::Mended, "mended"),
        (How::NewlyJudged, "newly judged"),
        (How::ObservationChanged, "another observation"),
    ];
}

impl Diff {
    /// Whether the new run is worse: something regressed, or is no longer judged.
    pub fn is_worse(&self) -> bool {
        let is_worse = |it: &Change| matches!(it.kind, How::Regressed | How::Lost);
        self.changes.iter().any(is_worse)
    }
}

/// What changed from the old run to the new one. A run with one library is compared with
/// another with one library, whatever their names.
pub fn diff(old: &Run, new: &Run) -> Diff {
    let ids =
        |run: &Run| -> BTreeSet<String> { run.clauses.iter().map(|it| it.id.clone()).collect() };
    let (old_ids, new_ids) = (ids(old), ids(new));
    let mut diff = Diff {
        warnings: warnings(old, new),
        gone_clauses: old_ids.difference(&new_ids).cloned().collect(),
        added_clauses: new_ids.difference(&old_ids).cloned().collect(),
        ..Diff::default()
    };
    let is_only = old.candidates.len() == 1 && new.candidates.len() == 1;
    let of = |run: &'_ Run, name: &str| run.candidates.iter().position(|it| it.name == name);
    for library in &new.candidates {
        let before = match is_only {
            true => Some(0),
            false => of(old, &library.name),
        };
        match before {
            Some(place) => changes(&mut diff, &old.candidates[place], library),
            None => diff.added.push(library.name.clone()),
        }
    }
    for library in old.candidates.iter().filter(|_| !is_only) {
        if of(new, &library.name).is_none() {
            diff.missing.push(library.name.clone());
        }
    }
    diff.changes.sort_by_key(|it| it.kind);
    diff
}

fn warnings(old: &Run, new: &Run) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut compare = |what: &str, old: String, new: String| {
        if old != new {
            warnings.push(format!("{what}: {old} before, {new} now"));
        }
    };
    compare("heapmin", old.suite.clone(), new.suite.clone());
    if old.suite == new.suite {
        compare("build of heapmin", old.build.clone(), new.build.clone());
    }
    let machine = |run: &Run| {
        let kernel = run.machine.kernel.clone().unwrap_or_default();
        let machine = &run.machine;
        format!(
            "{} {kernel} {} with {} processors",
            machine.system, machine.arch, machine.processors
        )
    };
    compare("machine", machine(old), machine(new));
    let options = |run: &Run| {
        let own = &run.options;
        // The arguments name the library, and the number of jobs changes no verdict.
        let mut words = Vec::new();
        words.extend(own.only.iter().map(|it| format!("--only {it}")));
        words.extend(own.skip.iter().map(|it| format!("--skip {it}")));
        words.extend(own.fault.iter().map(|it| format!("--fault {it}")));
        words.extend(own.profile.iter().map(|it| format!("--profile {it}")));
        words.extend(own.heap.iter().map(|it| format!("--heap {it}")));
        words.extend(own.preload.then(|| "--preload".to_owned()));
        words.extend((!own.fence).then(|| "--no-fence".to_owned()));
        match words.is_empty() {
            true => "none".to_owned(),
            false => words.join(" "),
        }
    };
    compare("options", options(old), options(new));
    if old.interrupted || new.interrupted {
        warnings.push("a run was interrupted, so some results are missing".into());
    }
    warnings
}

fn changes(diff: &mut Diff, old: &Library, new: &Library) {
    let by = |library: &Library| {
        let by = (library.run_by.clone(), library.arch.clone());
        format!("{} {}", by.0, by.1).trim().to_owned()
    };
    if by(old) != by(new) {
        let (old_by, new_by) = (by(old), by(new));
        diff.warnings.push(format!(
            "{} was run by: {old_by} before, {new_by} now",
            new.name
        ));
    }
    // A site compares thousands of pairs. Of two results of one case, the first counts.
    let place = |it: &Outcome| (it.clause.clone(), it.case.clone());
    let old_results = old.results.iter().rev();
    let old_results: HashMap<_, _> = old_results.map(|it| (place(it), it)).collect();
    for result in &new.results {
        let Some(before) = old_results.get(&place(result)) else {
            continue;
        };
        if let Some(kind) = how(before, result) {
            diff.changes.push(Change {
                kind,
                candidate: new.name.clone(),
                clause: result.clause.clone(),
                case: result.case.clone(),
                before: (before.verdict, before.observed.clone()),
                after: (result.verdict, result.observed.clone()),
            });
        }
    }
}

fn how(before: &Outcome, after: &Outcome) -> Option<How> {
    let (old, new) = (before.verdict, after.verdict);
    match (old.is_judged(), new.is_judged()) {
        (true, false) => Some(How::Lost),
        (false, true) if new.is_deviation() => Some(How::Regressed),
        (false, true) => Some(How::NewlyJudged),
        (true, true) if new > old => Some(How::Regressed),
        (true, true) if new < old => Some(How::Mended),
        _ if old != new => Some(How::ObservationChanged),
        _ => (without_amounts(&before.observed) != without_amounts(&after.observed))
            .then_some(How::ObservationChanged),
    }
}

/// The text without amounts of memory and times, which vary from run to run.
fn without_amounts(text: &str) -> String {
    const UNITS: [&str; 10] = [
        "KiB", "MiB", "GiB", "%", "s", "ms", "µs", "bytes", "times", "calls",
    ];
    let words: Vec<&str> = text.split(' ').collect();
    let mut short: Vec<&str> = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let next = words.get(index + 1).copied().unwrap_or_default();
        let next = next.trim_end_matches([',', ';', '.', ')', '"']);
        let number = word.trim_start_matches(['(', '"']);
        let is_number =
            !number.is_empty() && number.chars().all(|it| it.is_ascii_digit() || it == '.');
        match is_number && UNITS.contains(&next) {
            true => short.push("#"),
            false => short.push(word),
        }
    }
    short.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clause::Judgement;
    use crate::expected::gate::Findings;
    use crate::forged;
    use rstest::rstest;

    const CLAUSE: &str = "heapmin.idempotent";

    fn run(judgement: Judgement) -> Run {
        let outcome = forged::outcome(CLAUSE, 0, judgement);
        forged::record(&[forged::checked(vec![outcome])], Findings::default())
    }

    fn pass() -> Judgement {
        Judgement::pass("12 KiB")
    }

    #[rstest]
    #[case::same(pass(), Judgement::pass("13 KiB"), None, false)]
    #[case::other(
        pass(),
        Judgement::pass("13 blocks"),
        Some(How::ObservationChanged),
        false
    )]
    #[case::regressed(pass(), Judgement::fail("1"), Some(How::Regressed), true)]
    #[case::worse(Judgement::fail("1"), Verdict::Crash.because("c"), Some(How::Regressed), true)]
    #[case::better(Verdict::Crash.because("c"), Judgement::fail("1"), Some(How::Mended), false)]
    #[case::mended(Judgement::fail("1"), pass(), Some(How::Mended), false)]
    #[case::lost(pass(), Judgement::not_judged("n"), Some(How::Lost), true)]
    #[case::lost_to_an_error(pass(), Verdict::Error.because("e"), Some(How::Lost), true)]
    #[case::newly(Judgement::not_judged("n"), pass(), Some(How::NewlyJudged), false)]
    #[case::newly_bad(
        Judgement::not_judged("n"),
        Judgement::fail("1"),
        Some(How::Regressed),
        true
    )]
    #[case::reason(
        Judgement::not_judged("n"),
        Judgement::not_judged("m"),
        Some(How::ObservationChanged),
        false
    )]
    fn a_result_changes_in_one_way(
        #[case] before: Judgement,
        #[case] after: Judgement,
        #[case] kind: Option<How>,
        #[case] is_worse: bool,
    ) {
        let found = diff(&run(before), &run(after));
        assert_eq!(found.changes.first().map(|it| it.kind), kind);
        assert_eq!(found.is_worse(), is_worse);
        assert_eq!(found.warnings, Vec::<String>::new());
    }

    #[test]
    fn a_clause_that_is_gone_and_a_library_that_is_missing_are_no_regression() {
        let named = |name: &str, clause| {
            let mut checked = forged::checked(vec![forged::outcome(clause, 0, pass())]);
            checked.candidate.name = name.into();
            checked
        };
        let old = [named("a", CLAUSE), named("b", CLAUSE)];
        let new = [
            named("a", "malloc.alignment"),
            named("c", "malloc.alignment"),
        ];
        let record = |checked: &[_]| forged::record(checked, Findings::default());
        let found = diff(&record(&old), &record(&new));
        assert_eq!(
            (found.missing.as_slice(), found.added.as_slice()),
            (&["b".to_owned()][..], &["c".to_owned()][..])
        );
        assert_eq!(found.gone_clauses, [CLAUSE]);
        assert_eq!(found.added_clauses, ["malloc.alignment"]);
        assert!(found.changes.is_empty() && !found.is_worse());
    }

    #[test]
    fn other_machines_and_options_are_a_warning() {
        let (old, mut new) = (run(pass()), run(pass()));
        new.machine.kernel = Some("7.0".into());
        new.options.only = vec!["heapmin".into()];
        new.candidates[0].run_by = "Wine 10.0".into();
        let found = diff(&old, &new).warnings;
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!(found[1], "options: none before, --only heapmin now");
        assert!(
            found[2].ends_with("x86_64 before, Wine 10.0 x86_64 now"),
            "{found:?}"
        );
    }
}
