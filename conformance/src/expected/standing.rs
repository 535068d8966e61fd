//! How the entries of profiles and files stand to what a run found.

use crate::clause::Verdict;
use crate::expected::known::{Judged, Known};
use crate::run::{Checked, Outcome};
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::text::printable::shown;

/// How a known deviation stands to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It speaks of no candidate of this run.
    Elsewhere,
    /// Not all that it speaks of was run: `--only`, `--skip` or `--fault`.
    LeftOut,
    /// The candidate could not be observed.
    Undecided,
    /// It occurs.
    Occurs,
    /// It no longer occurs; this is what came instead.
    Stale(Verdict),
}

/// Whether an entry with this `candidate`, if it has one, speaks of a
/// candidate: by the name that the user gave it, or by its file's name.
pub fn concerns(named: Option<&str>, candidate: &Candidate) -> bool {
    named.is_none_or(|name| name == candidate.name || name == file_name(candidate))
}

/// What a file calls a candidate: its file's name, if no other of the run has
/// the same; else as the user called it.
pub fn label(checked: &[Checked], candidate: &Candidate) -> String {
    let name = file_name(candidate);
    let given = || checked.iter().map(|one| &one.candidate);
    let is_path = candidate.name.contains(['/', '\\']);
    let same = given().filter(|other| file_name(other) == name && other.name != candidate.name);
    match is_path && same.count() == 0 {
        true => name,
        false => candidate.name.clone(),
    }
}

fn file_name(candidate: &Candidate) -> String {
    shown(candidate.path.file_name().unwrap_or_default())
}

/// How a known deviation stands to the candidates that were checked: it occurs
/// if it does in one of those that it speaks of.
pub fn of_known<'a>(entry: &Known, checked: impl IntoIterator<Item = &'a Checked>) -> Standing {
    let mut standing = Standing::Elsewhere;
    for one in checked {
        let maker = one.candidate.image.maker;
        let is_concerned = concerns(entry.candidate.as_deref(), &one.candidate)
            && entry.maker.is_none_or(|known| known == maker);
        if !is_concerned {
            continue;
        }
        let outcomes: Vec<&Outcome> = one
            .outcomes
            .iter()
            .filter(|outcome| entry.applies(outcome.clause.id, outcome.case.name, maker))
            .collect();
        let verdicts = || outcomes.iter().map(|outcome| outcome.judgement.verdict);
        let wanted = match (outcomes.first(), &entry.case) {
            (Some(outcome), None) => outcome.clause.cases.len(),
            _ => 1,
        };
        if verdicts().any(|verdict| verdict.name() == entry.verdict) {
            return Standing::Occurs;
        } else if verdicts().any(|verdict| verdict == Verdict::Error) {
            standing = Standing::Undecided;
        } else if standing == Standing::Undecided {
            // Another candidate may have it.
        } else if outcomes.len() < wanted {
            standing = Standing::LeftOut;
        } else {
            let now = verdicts().max().unwrap_or(Verdict::Unsupported);
            standing = Standing::Stale(now);
        }
    }
    standing
}

/// What became of a clause as a whole, if all its cases were run: the verdict
/// that weighs most, and what was seen then.
pub fn of_clause<'a>(checked: &'a Checked, id: &str) -> Option<(Verdict, &'a str)> {
    let outcomes = || checked.outcomes.iter().filter(|it| it.clause.id == id);
    let heaviest = outcomes().max_by_key(|outcome| outcome.judgement.verdict)?;
    let judgement = &heaviest.judgement;
    let all = outcomes().count() == heaviest.clause.cases.len();
    all.then_some((judgement.verdict, judgement.observed.as_str()))
}

/// The candidates that an entry speaks of and in which its clause, which was
/// judged when the file was written, is not judged any more; with the reason.
pub fn not_judged<'a>(entry: &Judged, checked: &'a [Checked]) -> Vec<(&'a Checked, &'a str)> {
    let concerned = checked
        .iter()
        .filter(|one| concerns(entry.candidate.as_deref(), &one.candidate));
    concerned
        .filter_map(|one| match of_clause(one, &entry.clause)? {
            (Verdict::Unsupported, reason) => Some((one, reason)),
            _ => None,
        })
        .collect()
}

/// Marks the deviations that these entries list as known.
pub fn mark(checked: &mut [Checked], known: &[Known]) {
    for one in checked {
        mark_one(one, known);
    }
}

/// Marks those of one candidate.
pub(super) fn mark_one(checked: &mut Checked, known: &[Known]) {
    let candidate = &checked.candidate;
    let outcomes = checked.outcomes.iter_mut();
    for outcome in outcomes.filter(|it| it.is_unexpected()) {
        let entry = known.iter().find(|entry| {
            entry.verdict == outcome.judgement.verdict.name()
                && concerns(entry.candidate.as_deref(), candidate)
                && entry.applies(outcome.clause.id, outcome.case.name, candidate.image.maker)
        });
        outcome.known = entry.map(|entry| entry.why.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expected::known::Expected;
    use crate::forged::candidate;
    use heapmin_harness::library::inspect::Maker;
    use rstest::rstest;

    /// A candidate that the user called by this name and that lies at this path.
    fn called(name: &str, path: &str) -> Candidate {
        Candidate {
            name: name.into(),
            path: path.into(),
            ..candidate()
        }
    }

    fn checked(candidate: Candidate) -> Checked {
        Checked {
            candidate,
            outcomes: Vec::new(),
            cases_run: 0,
            fence: None,
            given_back: None,
        }
    }

    #[rstest]
    #[case::anybody(None, true)]
    #[case::as_the_user_called_it(Some("build/libmine.so"), true)]
    #[case::by_its_file(Some("libmine.so"), true)]
    #[case::another(Some("libother.so"), false)]
    fn an_entry_concerns_a_candidate(#[case] named: Option<&str>, #[case] concerned: bool) {
        let candidate = called("build/libmine.so", "/src/build/libmine.so");
        assert_eq!(concerns(named, &candidate), concerned);
    }

    #[rstest]
    #[case::by_its_file(&["build/libmine.so"], "libmine.so")]
    #[case::beside_another(&["build/libmine.so", "build/libother.so"], "libmine.so")]
    #[case::beside_another_of_its_name(&["build/libmine.so", "old/libmine.so"], "build/libmine.so")]
    #[case::twice(&["build/libmine.so", "build/libmine.so"], "libmine.so")]
    #[case::of_windows(&["build\\libmine.so"], "build\\libmine.so")]
    #[case::known_by_name(&["ucrtbase"], "ucrtbase")]
    fn a_candidate_has_a_label(#[case] names: &[&str], #[case] wanted: &str) {
        let path = |name: &str| format!("/src/{name}");
        let checked: Vec<_> = names
            .iter()
            .map(|name| checked(called(name, &path(name))))
            .collect();
        assert_eq!(label(&checked, &checked[0].candidate), wanted);
    }

    #[rstest]
    #[case::of_its_maker("wine", Standing::LeftOut)]
    #[case::of_another_maker("microsoft", Standing::Elsewhere)]
    fn an_entry_may_be_for_the_library_of_one_maker(
        #[case] maker: &str,
        #[case] standing: Standing,
    ) {
        let text =
            format!("[[known]]\nclause = 'heapmin.exported'\nmaker = '{maker}'\nwhy = 'w'\n");
        let entries = Expected::parse("expected.toml", &text).unwrap().known;
        let mut one = checked(candidate());
        one.candidate.image.maker = Maker::Wine;
        assert_eq!(of_known(&entries[0], [&one]), standing);
    }

    #[test]
    fn a_file_may_have_another_name_than_the_candidate() {
        let checked = [checked(called("ucrtbase", "/windows/ucrtbase.dll"))];
        assert_eq!(label(&checked, &checked[0].candidate), "ucrtbase");
        assert!(concerns(Some("ucrtbase.dll"), &checked[0].candidate));
    }
}
