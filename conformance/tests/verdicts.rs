//! Small candidates, each with one defect, get the right verdicts.
#![cfg(target_os = "linux")]

use heapmin_conformance::clause::Verdict::{self, Crash, Fail, Pass, Timeout, Unsupported};
use heapmin_conformance::pace::Pace;
use heapmin_conformance::run::{Limits, Outcome, check};
use heapmin_conformance::select::{Selection, select};
use heapmin_conformance::shipped::{catalogue, runners_of};
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::parent::runners::Choice;
use heapmin_harness::text::input_error::InputError;
use heapmin_test_libraries::candidate as path_of;
use rstest::rstest;
use std::time::Duration;

fn candidate(name: &str) -> Result<Candidate, InputError> {
    let runners = runners_of(env!("CARGO_BIN_EXE_heapmin").into(), Choice::default());
    catalogue()?.candidate(path_of(name), None, &runners)
}

fn outcomes(name: &str, clause: &str, seconds: u64) -> Vec<Outcome> {
    let limits = Limits {
        jobs: 1,
        pace: &Pace::fixed(Duration::from_secs(seconds)),
        until: None,
    };
    let selection = Selection::new(
        select(&[clause.to_owned()], &[]).expect("the clause exists"),
        None,
    );
    let candidate = candidate(name).expect("the candidate is accepted");
    check(vec![candidate], &selection, limits, |_| ())
        .remove(0)
        .outcomes
}

fn counting(outcomes: &[Outcome]) -> Verdict {
    outcomes
        .iter()
        .map(|outcome| outcome.judgement.verdict)
        .max()
        .expect("a clause has a case")
}

#[rstest]
#[case("decorated", "heapmin.exported", Fail)]
#[case("decorated", "heapmin.success-returns-zero", Unsupported)]
#[case("returns_one", "heapmin.success-returns-zero", Fail)]
#[case("returns_one", "heapmin.failure-returns-minus-one", Fail)]
#[case("sets_errno_on_success", "heapmin.success-keeps-errno", Fail)]
#[case("sets_errno_on_success", "heapmin.success-returns-zero", Pass)]
#[case("fails_as_promised", "heapmin.failure-returns-minus-one", Pass)]
#[case("fails_as_promised", "heapmin.failure-sets-enosys", Pass)]
#[case("fails_as_promised", "heapmin.unsupported-os", Pass)]
#[case("fails_as_promised", "heapmin.success-returns-zero", Unsupported)]
#[case("fails_as_promised", "heapmin.releases-memory", Unsupported)]
#[case("fails_as_promised", "heapmin.empty-heap", Unsupported)]
#[case("fails_with_einval", "heapmin.failure-returns-minus-one", Pass)]
#[case("fails_with_einval", "heapmin.failure-sets-enosys", Fail)]
#[case("fails_with_einval", "heapmin.unsupported-os", Fail)]
#[case("fails_on_empty_heap", "heapmin.empty-heap", Fail)]
#[case("fails_on_empty_heap", "heapmin.failure-sets-enosys", Pass)]
#[case("returns_zero", "heapmin.releases-memory", Fail)]
#[case("returns_zero", "heapmin.releases-partial", Fail)]
#[case("returns_zero", "heapmin.memory-reusable", Pass)]
#[case("returns_zero", "heapmin.failure-sets-enosys", Unsupported)]
#[case("returns_zero", "heapmin.unsupported-os", Unsupported)]
#[case("returns_zero", "heapmin.recovers", Unsupported)]
#[case("ignores_refusal", "heapmin.failure-returns-minus-one", Fail)]
#[case("ignores_refusal", "heapmin.unsupported-os", Fail)]
#[case("ignores_refusal", "heapmin.recovers", Pass)]
#[case("ignores_refusal", "heapmin.success-returns-zero", Pass)]
#[case("gives_up_after_refusal", "heapmin.failure-sets-enosys", Pass)]
#[case("gives_up_after_refusal", "heapmin.recovers", Fail)]
#[case("never_reuses", "heapmin.relieves-memory-limit", Fail)]
#[case("fails_the_second_time", "heapmin.idempotent", Fail)]
#[case("fails_the_second_time", "heapmin.releases-memory", Pass)]
#[case("never_reuses", "heapmin.memory-reusable", Fail)]
#[case("never_reuses", "heapmin.coalesces", Fail)]
#[case("never_reuses", "heapmin.preserves-live-blocks", Pass)]
#[case("loses_a_byte", "heapmin.preserves-live-blocks", Fail)]
#[case("loses_a_byte", "heapmin.unsupported-os", Fail)]
#[case("shares_errno", "heapmin.errno-per-thread", Fail)]
#[case("crashes_on_load", "heapmin.exported", Crash)]
#[case("crashes_in_heapmin", "heapmin.releases-memory", Crash)]
#[case("crashes_in_heapmin", "heapmin.exported", Pass)]
#[case("exits_in_heapmin", "heapmin.success-returns-zero", Crash)]
#[case("prints_everywhere", "heapmin.success-returns-zero", Pass)]
#[case("prints_everywhere", "heapmin.preserves-live-blocks", Pass)]
fn a_small_candidate_gets_the_right_verdict(
    #[case] name: &str,
    #[case] clause: &str,
    #[case] verdict: Verdict,
) {
    let outcomes = outcomes(name, clause, 60);
    assert_eq!(counting(&outcomes), verdict, "{outcomes:#?}");
}

#[test]
fn a_heapmin_without_system_calls_does_not_pass_a_fault_case() {
    let outcomes = outcomes("returns_zero", "heapmin.unsupported-os", 60);
    let observed = &outcomes[0].judgement.observed;
    assert!(
        observed.contains("the fault was never reached"),
        "{observed}"
    );
}

#[test]
fn a_candidate_that_hangs_gets_a_timeout_with_the_step() {
    let outcomes = outcomes("hangs_in_heapmin", "heapmin.empty-heap", 2);
    assert_eq!(counting(&outcomes), Timeout, "{outcomes:#?}");
    let observed = &outcomes[0].judgement.observed;
    assert!(
        observed.contains("before the first allocation"),
        "{observed}"
    );
}

#[test]
fn a_crash_is_reported_with_its_step() {
    let outcomes = outcomes("crashes_in_heapmin", "heapmin.preserves-live-blocks", 60);
    let observed = &outcomes[0].judgement.observed;
    assert!(observed.contains("SIGSEGV"), "{observed}");
    assert!(observed.contains("in the step \"_heapmin\""), "{observed}");
}

#[test]
fn a_crash_during_loading_is_reported_as_such() {
    let outcomes = outcomes("crashes_on_load", "heapmin.empty-heap", 60);
    let observed = &outcomes[0].judgement.observed;
    assert!(
        observed.contains("while the library was being loaded"),
        "{observed}"
    );
}

#[test]
fn a_library_without_heapmin_is_refused() {
    let error = candidate("no_heapmin").unwrap_err();
    assert!(
        error.problem.contains("does not export _heapmin"),
        "{error}"
    );
    assert!(error.mend.contains("adapter"), "{error}");
}
