//! The status of an entry of a profile or file: whether its deviation occurs in a
//! run, and whether its clause is judged.

use super::known::{Judged, Known};
use crate::clause::{Reason, Verdict};
use crate::run::{Checked, Outcome};
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::text::printable::shown;

/// Whether the known deviation of an entry occurs in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryStatus {
    /// The entry applies to no candidate of this run.
    OtherCandidate,
    /// Not all cases of the entry were run, because of `--only`, `--skip`, `--fault` or
    /// an interruption.
    NotRun,
    /// A case ended with `error`, so the deviation may or may not occur.
    Undecided,
    /// The deviation occurs.
    Occurs,
    /// The deviation no longer occurs; this is the verdict now.
    Stale(Verdict),
}

/// Whether an entry with this `candidate` key, if any, applies to a candidate. The
/// key is the name that the user gave to the candidate, or the name of its file.
pub fn applies_to(named: Option<&str>, candidate: &Candidate) -> bool {
    named.is_none_or(|name| name == candidate.name || name == file_name(candidate))
}

/// Whether an entry is about this candidate: its name, its maker, its processor and the versions
/// of the run.
pub fn concerns(entry: &Known, candidate: &Candidate) -> bool {
    let maker = candidate.image.maker;
    applies_to(entry.candidate.as_deref(), candidate)
        && entry.maker.is_none_or(|known| known == maker)
        && entry
            .arch
            .is_none_or(|known| known.name() == candidate.image.arch)
        && entry.versions.include(candidate)
}

/// The name of a candidate in new entries. For a path, it is the name of the file, if
/// no other candidate of the run has the same. Else it is the name that the user gave.
pub fn candidate_label(checked: &[Checked], candidate: &Candidate) -> String {
    let name = file_name(candidate);
    let is_path = candidate.name.contains(['/', '\\']);
    let mut others = checked.iter().map(|one| &one.candidate);
    let is_ambiguous = others.any(|other| file_name(other) == name && other.name != candidate.name);
    match is_path && !is_ambiguous {
        true => name,
        false => candidate.name.clone(),
    }
}

fn file_name(candidate: &Candidate) -> String {
    shown(candidate.path.file_name().unwrap_or_default())
}

/// The status of an entry in a run. Its deviation occurs if it occurs in one of the
/// candidates to which the entry applies.
pub fn entry_status<'a>(
    entry: &Known,
    checked: impl IntoIterator<Item = &'a Checked>,
) -> EntryStatus {
    let mut status = EntryStatus::OtherCandidate;
    for one in checked {
        if !concerns(entry, &one.candidate) {
            continue;
        }
        let outcomes: Vec<&Outcome> = one
            .outcomes
            .iter()
            .filter(|outcome| entry.is_of(outcome.clause.id, outcome.case.name))
            .collect();
        // One profile serves every system, and a library stands in for the system's heap on
        // some of them only.
        let is_elsewhere = |it: &&Outcome| {
            it.case.stand_in.is_some() && it.judgement.reason == Some(Reason::NotApplicable)
        };
        if !outcomes.is_empty() && outcomes.iter().all(is_elsewhere) {
            continue;
        }
        let verdicts = || outcomes.iter().map(|outcome| outcome.judgement.verdict);
        let required = match (outcomes.first(), &entry.case) {
            (Some(outcome), None) => outcome.clause.cases.len(),
            _ => 1,
        };
        // What comes and goes may also leave nothing to judge.
        let may_go = entry.expects(Verdict::Pass);
        let expects = |it: Verdict| entry.expects(it) || may_go && it == Verdict::Unsupported;
        if verdicts().any(expects) {
            return EntryStatus::Occurs;
        } else if verdicts().any(|verdict| verdict == Verdict::Error) {
            status = EntryStatus::Undecided;
        } else if status == EntryStatus::Undecided {
            // The deviation may occur in the candidate that ended with `error`.
        } else if outcomes.len() < required {
            status = EntryStatus::NotRun;
        } else {
            let now = verdicts().max().unwrap_or(Verdict::Unsupported);
            status = EntryStatus::Stale(now);
        }
    }
    status
}

/// The verdict of a whole clause, with the observation, if all its cases were run:
/// the greatest verdict of its cases.
pub fn clause_verdict<'a>(checked: &'a Checked, id: &str) -> Option<(Verdict, &'a str)> {
    let outcomes = || checked.outcomes.iter().filter(|it| it.clause.id == id);
    let greatest = outcomes().max_by_key(|outcome| outcome.judgement.verdict)?;
    let judgement = &greatest.judgement;
    let all = outcomes().count() == greatest.clause.cases.len();
    all.then_some((judgement.verdict, judgement.observed.as_str()))
}

/// The candidates in which the clause of an entry is no longer judged, each with the
/// reason why it is `unsupported`.
pub fn not_judged<'a>(entry: &Judged, checked: &'a [Checked]) -> Vec<(&'a Checked, &'a str)> {
    let applicable = checked
        .iter()
        .filter(|one| applies_to(entry.candidate.as_deref(), &one.candidate));
    applicable
        .filter_map(|one| match clause_verdict(one, &entry.clause)? {
            (Verdict::Unsupported, reason) => Some((one, reason)),
            _ => None,
        })
        .collect()
}

/// Sets `known` of the deviations that these entries list.
pub fn mark(checked: &mut [Checked], known: &[Known]) {
    for one in checked {
        mark_those(one, known, |_| true);
    }
}

/// As [`mark`], for the results of one candidate for which `applies` is true.
pub(super) fn mark_those(
    checked: &mut Checked,
    known: &[Known],
    applies: impl Fn(&Outcome) -> bool,
) {
    let candidate = &checked.candidate;
    let outcomes = checked.outcomes.iter_mut();
    for outcome in outcomes.filter(|it| it.is_unexpected() && applies(it)) {
        let entry = known.iter().find(|entry| {
            entry.expects(outcome.judgement.verdict)
                && concerns(entry, candidate)
                && entry.is_of(outcome.clause.id, outcome.case.name)
        });
        outcome.known = entry.map(Known::entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clause::Judgement;
    use crate::expected::known::Expected;
    use crate::forged::{candidate, checked, outcome};
    use heapmin_harness::library::inspect::Maker;
    use rstest::rstest;

    /// A candidate with this name, as the user gave it, and this path.
    fn named(name: &str, path: &str) -> Candidate {
        Candidate {
            name: name.into(),
            path: path.into(),
            ..candidate()
        }
    }

    fn without_results(candidate: Candidate) -> Checked {
        Checked {
            candidate,
            outcomes: Vec::new(),
            cases_run: 0,
            fence: None,
            given_back: None,
            stable: Default::default(),
            cases: Default::default(),
            numbering: heapmin_harness::library::errno_names::Numbering::Msvc,
            repeated: None,
        }
    }

    #[rstest]
    #[case::no_name(None, true)]
    #[case::name_that_the_user_gave(Some("build/libmine.so"), true)]
    #[case::name_of_its_file(Some("libmine.so"), true)]
    #[case::other_name(Some("libother.so"), false)]
    fn an_entry_applies_to_the_candidate_that_it_names(
        #[case] name: Option<&str>,
        #[case] applies: bool,
    ) {
        let candidate = named("build/libmine.so", "/src/build/libmine.so");
        assert_eq!(applies_to(name, &candidate), applies);
    }

    #[rstest]
    #[case::one_candidate(&["build/libmine.so"], "libmine.so")]
    #[case::two_file_names(&["build/libmine.so", "build/libother.so"], "libmine.so")]
    #[case::two_files_of_one_name(&["build/libmine.so", "old/libmine.so"], "build/libmine.so")]
    #[case::same_candidate_twice(&["build/libmine.so", "build/libmine.so"], "libmine.so")]
    #[case::windows_path(&["build\\libmine.so"], "build\\libmine.so")]
    #[case::known_library(&["ucrtbase"], "ucrtbase")]
    fn a_label_is_the_file_name_unless_that_is_ambiguous(
        #[case] names: &[&str],
        #[case] label: &str,
    ) {
        let path = |name: &str| format!("/src/{name}");
        let checked: Vec<_> = names
            .iter()
            .map(|name| without_results(named(name, &path(name))))
            .collect();
        assert_eq!(candidate_label(&checked, &checked[0].candidate), label);
    }

    #[rstest]
    #[case::same_maker("wine", EntryStatus::NotRun)]
    #[case::other_maker("microsoft", EntryStatus::OtherCandidate)]
    fn an_entry_with_a_maker_applies_only_to_libraries_of_that_maker(
        #[case] maker: &str,
        #[case] status: EntryStatus,
    ) {
        let text =
            format!("[[known]]\nclause = 'heapmin.exported'\nmaker = '{maker}'\nwhy = 'w'\n");
        let entries = Expected::parse("expected.toml", &text).unwrap().known;
        let mut one = without_results(candidate());
        one.candidate.image.maker = Maker::Wine;
        assert_eq!(entry_status(&entries[0], [&one]), status);
    }

    #[rstest]
    #[case::same_arch("x86", EntryStatus::NotRun)]
    #[case::other_arch("x86_64", EntryStatus::OtherCandidate)]
    fn an_entry_with_an_arch_applies_only_to_libraries_for_that_processor(
        #[case] arch: &str,
        #[case] status: EntryStatus,
    ) {
        let text = format!("[[known]]\nclause = 'heapmin.exported'\narch = '{arch}'\nwhy = 'w'\n");
        let entries = Expected::parse("expected.toml", &text).unwrap().known;
        let mut one = without_results(candidate());
        one.candidate.image.arch = "x86".into();
        assert_eq!(entry_status(&entries[0], [&one]), status);
    }

    #[rstest]
    #[case::it_must_occur("'fail'", EntryStatus::Stale(Verdict::Unsupported))]
    #[case::it_comes_and_goes("['fail', 'pass']", EntryStatus::Occurs)]
    fn a_deviation_that_comes_and_goes_may_leave_nothing_to_judge(
        #[case] verdicts: &str,
        #[case] status: EntryStatus,
    ) {
        let text =
            format!("[[known]]\nclause = 'heapmin.exported'\nverdict = {verdicts}\nwhy = 'w'\n");
        let entries = Expected::parse("expected.toml", &text).unwrap().known;
        let one = checked(vec![outcome(
            "heapmin.exported",
            0,
            Judgement::not_judged("no error was reported"),
        )]);
        assert_eq!(entry_status(&entries[0], [&one]), status);
    }

    #[test]
    fn a_known_library_is_named_by_its_own_name_or_by_its_file() {
        let checked = [without_results(named("ucrtbase", "/windows/ucrtbase.dll"))];
        assert_eq!(candidate_label(&checked, &checked[0].candidate), "ucrtbase");
        assert!(applies_to(Some("ucrtbase.dll"), &checked[0].candidate));
    }
}
