//! Complaints about a run that did not judge what it must.

use crate::clause::{Level, Reason, Verdict};
use crate::clauses;
use crate::record::{Complaint, Counted, Kind, Library, Run, counted, groups, lacking};

/// A complaint about each candidate of which no essential clause was judged, if the run
/// has all of them and no `error` explains it.
pub fn essential_complaints(run: &Run) -> Vec<Complaint> {
    let complaint = |library: &Library| {
        let counted = counted(run, library);
        let essential = counted.iter().filter(|it| it.promise.essential);
        let essential: Vec<_> = essential.filter(|it| it.is_whole()).collect();
        let all = clauses::all().filter(|clause| clause.is_essential).count();
        let is_error = |it: &Counted| it.outcome.verdict == Verdict::Error;
        let is_left_out = essential.len() < all;
        if is_left_out || essential.iter().any(|it| it.is_judged || is_error(it)) {
            return None;
        }
        let routine = &essential.first()?.promise.routine;
        let ids: Vec<_> = essential
            .iter()
            .map(|it| it.outcome.clause.as_str())
            .collect();
        let mut causes: Vec<_> = essential
            .iter()
            .map(|it| it.outcome.observed.as_str())
            .collect();
        causes.dedup();
        let message = format!(
            "{}: this run says nothing about {routine}: none of {} was judged ({}); remove the cause, or leave these clauses out with --skip",
            library.name,
            ids.join(", "),
            causes.join("; "),
        );
        Some(not_judged(library, message))
    };
    run.candidates.iter().filter_map(complaint).collect()
}

/// A complaint for each cause that kept clauses of this level, or of a more binding one,
/// from being judged.
pub fn level_complaints(run: &Run, level: Level) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for library in &run.candidates {
        let mut counted = counted(run, library);
        counted.retain(|it| it.is_whole() && it.outcome.level <= level);
        let mut groups = groups(&counted, Reason::NotJudged);
        groups.extend(lacking(&counted));
        complaints.extend(groups.iter().map(|group| {
            let message = format!(
                "{}: --must-judge {level}: not judged: {}: {}",
                library.name,
                group.cause,
                shortened(&group.clauses)
            );
            not_judged(library, message)
        }));
    }
    complaints
}

fn not_judged(library: &Library, message: String) -> Complaint {
    Complaint {
        candidate: Some(library.name.clone()),
        ..Complaint::new(Kind::NotJudged, message)
    }
}

/// The first clauses of a list, and the number of the others.
fn shortened(ids: &[&str]) -> String {
    const MOST: usize = 6;
    match ids.len().checked_sub(MOST) {
        None | Some(0) => ids.join(", "),
        Some(more) => format!("{} and {more} more", ids[..MOST].join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clause::Judgement;
    use crate::expected::gate::Findings;
    use crate::forged::{self, outcome};
    use crate::record::Count;
    use crate::run::Outcome;
    use crate::select::clause;
    use rstest::rstest;

    const SUCCESS: &str = "heapmin.success-returns-zero";
    const FAILURE: &str = "heapmin.failure-returns-minus-one";

    fn checked(outcomes: Vec<Outcome>) -> Run {
        forged::record(&[forged::checked(outcomes)], Findings::default())
    }

    fn messages(complaints: Vec<Complaint>) -> Vec<String> {
        complaints.into_iter().map(|it| it.message).collect()
    }

    fn missing(routine: &str) -> Judgement {
        Judgement {
            missing: Some(routine.into()),
            ..Judgement::not_judged(format!("the library does not export {routine}"))
        }
    }

    /// The results of all cases of a clause: this one in the first, `others` in the rest.
    fn whole(id: &str, first: Judgement, others: Judgement) -> Vec<Outcome> {
        let cases = 0..clause(id).unwrap().cases.len();
        let judgements = cases.map(|case| match case {
            0 => first.clone(),
            _ => others.clone(),
        });
        let numbered = judgements.enumerate();
        numbered.map(|(case, it)| outcome(id, case, it)).collect()
    }

    #[test]
    fn a_clause_counts_once_by_its_worst_result_and_is_judged_if_one_case_was() {
        let no = || Judgement::not_judged("no");
        let nothing = || Judgement::not_applicable("nothing");
        let run = checked(vec![
            outcome(SUCCESS, 0, no()),
            outcome(SUCCESS, 1, Judgement::pass("0")),
            outcome("heapmin.empty-heap", 0, Verdict::Error.because("e")),
            outcome("heapmin.recovers", 0, no()),
            outcome("heapmin.recovers", 1, nothing()),
            outcome("heapmin.same-heap-through-alias", 0, nothing()),
            outcome("malloc.alignment", 0, Judgement::fail("1")),
            outcome("malloc.zero-size", 0, Verdict::Crash.because("c")),
            outcome("calloc.zero-size", 0, Verdict::Timeout.because("t")),
            // Level `record`.
            outcome("heapmin.doserrno", 0, Judgement::pass("5")),
        ]);
        let wanted = Count {
            clauses: 4,
            applicable: 6,
        };
        assert_eq!(run.candidates[0].judged, wanted);
        let counted = counted(&run, &run.candidates[0]);
        let worst = counted.iter().map(|it| it.outcome.verdict);
        assert_eq!(worst.clone().count(), 8);
        assert_eq!(worst.clone().next(), Some(Verdict::Pass));
        assert!(counted[2].applies(), "one of its cases applies");
    }

    #[test]
    fn the_routines_that_a_library_lacks_are_one_cause() {
        let run = checked(vec![
            outcome("calloc.zero-size", 0, missing("calloc")),
            outcome("malloc.alignment", 0, missing("realloc")),
            outcome("calloc.alignment", 0, missing("calloc")),
            outcome("malloc.zero-size", 0, Judgement::not_judged("no memory")),
            // Gone, and at level `record`.
            outcome(
                "heapset.sound-heap",
                0,
                Judgement {
                    reason: Some(Reason::NotApplicable),
                    ..missing("_heapset")
                },
            ),
            outcome("heapmin.doserrno", 0, missing("__doserrno")),
        ]);
        let counted = counted(&run, &run.candidates[0]);
        let group = lacking(&counted).unwrap();
        assert_eq!(group.cause, "the library does not export calloc, realloc");
        let clauses = ["calloc.zero-size", "malloc.alignment", "calloc.alignment"];
        assert_eq!(group.clauses, clauses);
        let named = |reason| {
            let groups = groups(&counted, reason).into_iter();
            groups.map(|it| it.clauses).collect::<Vec<_>>().concat()
        };
        assert_eq!(named(Reason::NotJudged), ["malloc.zero-size"]);
        assert_eq!(named(Reason::NotApplicable), ["heapset.sound-heap"]);
        assert_eq!(lacking(&[]), None);
    }

    #[rstest]
    #[case::none(Judgement::not_judged("no call"), true)]
    #[case::passes(Judgement::pass("0"), false)]
    #[case::fails(Judgement::fail("1"), false)]
    #[case::crashes(Verdict::Crash.because("c"), false)]
    #[case::hangs(Verdict::Timeout.because("t"), false)]
    #[case::error(Verdict::Error.because("another complaint has it"), false)]
    fn a_run_in_which_no_essential_clause_is_judged_fails(
        #[case] success: Judgement,
        #[case] complains: bool,
    ) {
        let no = || Judgement::not_judged("no call");
        let failure = whole(FAILURE, Judgement::not_applicable("stale"), no());
        let run = checked([whole(SUCCESS, success, no()), failure.clone()].concat());
        let found = essential_complaints(&run);
        assert_eq!(!found.is_empty(), complains, "{found:?}");
        // --only and --skip leave out clauses, --fault leaves out cases.
        let mut success = whole(SUCCESS, no(), no());
        assert_eq!(essential_complaints(&checked(success.clone())).len(), 0);
        success.pop();
        let narrowed = checked([success, failure].concat());
        assert_eq!(essential_complaints(&narrowed).len(), 0);
    }

    #[test]
    fn the_complaint_names_the_clauses_and_each_cause_once() {
        let no = || missing("_heapmin");
        let both = [whole(SUCCESS, no(), no()), whole(FAILURE, no(), no())];
        assert_eq!(
            messages(essential_complaints(&checked(both.concat()))),
            [
                "c: this run says nothing about _heapmin: none of heapmin.success-returns-zero, heapmin.failure-returns-minus-one was judged (the library does not export _heapmin); remove the cause, or leave these clauses out with --skip"
            ]
        );
    }

    #[test]
    fn a_level_must_be_judged_where_it_applies_and_every_case_was_run() {
        let no = || Judgement::not_judged("no room");
        let pages = "heapmin.releases-memory";
        let mut run = [
            whole(SUCCESS, no(), Judgement::pass("0")),
            whole(FAILURE, missing("malloc"), missing("malloc")),
            whole(pages, no(), no()),
            whole("heapmin.releases-partial", no(), no()),
            whole("heapmin.idempotent", missing("free"), missing("free")),
            whole("heapmin.doserrno", no(), no()),
            whole("heapmin.empty-heap", Verdict::Error.because("e"), no()),
        ]
        .concat();
        let alias = "heapmin.same-heap-through-alias";
        let nothing = Judgement::not_applicable("no second name");
        run.push(outcome(alias, 0, nothing));
        // Not all of its cases were run.
        run.push(outcome("heapmin.unsupported-os", 0, no()));
        let run = checked(run);
        assert_eq!(
            messages(level_complaints(&run, Level::Must)),
            [
                "c: --must-judge must: not judged: no room: heapmin.releases-memory",
                "c: --must-judge must: not judged: the library does not export malloc: heapmin.failure-returns-minus-one",
            ]
        );
        assert_eq!(
            messages(level_complaints(&run, Level::Should)),
            [
                "c: --must-judge should: not judged: no room: heapmin.releases-memory, heapmin.releases-partial",
                "c: --must-judge should: not judged: the library does not export malloc, free: heapmin.failure-returns-minus-one, heapmin.idempotent",
            ]
        );
    }

    #[rstest]
    #[case(&["a"], "a")]
    #[case(&["a", "b", "c", "d", "e", "f"], "a, b, c, d, e, f")]
    #[case(&["a", "b", "c", "d", "e", "f", "g"], "a, b, c, d, e, f and 1 more")]
    fn a_long_list_of_clauses_is_shortened(#[case] ids: &[&str], #[case] text: &str) {
        assert_eq!(shortened(ids), text);
    }
}
