//! Compares a run with the profiles and with the `--expected` file. Each message
//! names the line to change.

use super::File;
use super::addition::{Addition, additions};
use super::fixed::Fixed;
use super::known::Known;
use super::place::Place;
use super::profiles::Profiles;
use super::status::{
    EntryStatus, applies_to, candidate_label, clause_verdict, concerns, entry_status, not_judged,
};
use crate::clause::Verdict;
use crate::record::{Complaint, Entry, Kind};
use crate::run::Checked;

/// The messages about the expected results of a run.
#[derive(Debug, Default)]
pub struct Findings {
    /// One for each result that is not as expected. Any of them fails the run.
    pub complaints: Vec<Complaint>,
    /// Messages that do not fail the run.
    pub notes: Vec<String>,
}

/// Compares the results with the profiles, and with the `--expected` file if one is
/// given. The caller has marked the listed deviations in `checked`.
pub fn compare(checked: &[Checked], profiles: &Profiles, file: Option<&File>) -> Findings {
    let mut findings = Findings::default();
    for one in checked {
        let mut complain = |entries: &[Known], entry: &Known, now| {
            let name = one.candidate.name.as_str();
            let candidate = (checked.len() > 1).then_some(name);
            let fixed = Fixed::of(entry, entries, std::slice::from_ref(one));
            let mend = fixed.as_ref().map(|it| it.line.clone());
            let message = format!(
                "{}: {}",
                stale_message(entry, now, candidate, fixed.as_ref()),
                mend.unwrap_or_else(|| what_to_delete(&entry.place))
            );
            findings.complaints.push(stale(entry, message, Some(name)));
        };
        let of_profile = profiles.known(&one.candidate);
        for entry in of_profile {
            if let EntryStatus::Stale(now) = entry_status(entry, [one]) {
                complain(of_profile, entry, now);
            }
        }
        let of_system = profiles.shown_by(&one.candidate);
        for entry in of_system {
            match entry_status(entry, [one]) {
                // A library without the routine cannot show what the system does.
                EntryStatus::Stale(Verdict::Unsupported) => {}
                EntryStatus::Stale(now) => complain(of_system, entry, now),
                _ => {}
            }
        }
    }
    if let Some(file) = file {
        compare_with_file(&mut findings, checked, file);
        let new = additions(file, checked);
        let complaints = new.iter().map(|it| unlisted(it, file));
        findings.complaints.extend(complaints);
    } else {
        let all = checked.iter().flat_map(|one| &one.outcomes);
        let unlisted: Vec<_> = all
            .filter(|it| it.is_unexpected() && it.judgement.verdict != Verdict::Error)
            .collect();
        let losses = unlisted.iter().filter(|it| it.judgement.loses_data).count();
        if !unlisted.is_empty() {
            let first = match losses {
                0 => String::new(),
                losses => format!(
                    "in {losses} of them the library changes bytes that its caller wrote: mend these first; "
                ),
            };
            let message = format!(
                "deviations that are not listed: {}; {first}run again with `--expected FILE --update` to list them in FILE",
                unlisted.len()
            );
            (findings.complaints).push(Complaint::new(Kind::New, message));
        }
    }
    findings
        .complaints
        .extend(checked.iter().filter_map(self::errors));
    for one in checked {
        let listed = file.map_or(&[][..], File::known);
        let known = profiles.known(&one.candidate).iter().chain(listed);
        let known: Vec<_> = known.filter(|it| concerns(it, &one.candidate)).collect();
        compare_runs(&mut findings, one, &known);
    }
    findings
}

/// Adds a message for each result that was not the same in every run of `--repeat`. Another
/// verdict fails the check, unless an entry expects all of them; another observation does
/// not.
fn compare_runs(findings: &mut Findings, checked: &Checked, known: &[&Known]) {
    let Some(repeated) = &checked.repeated else {
        return;
    };
    let name = &checked.candidate.name;
    let runs = repeated.runs;
    if repeated.changed.is_empty() {
        let note = format!("{name}: {runs} runs, no verdict and no observation changed");
        findings.notes.push(note);
    }
    for changed in &repeated.changed {
        let of = format!("{name}: {} with {}", changed.clause, changed.case);
        if changed.has_two_verdicts() {
            let verdicts = changed.verdicts.iter();
            let verdicts: Vec<_> = verdicts.map(|(name, n)| format!("{n} {name}")).collect();
            let verdicts = verdicts.join(", ");
            let message = format!("{of}: the verdict changed in {runs} runs: {verdicts}");
            let is_expected = |entry: &&&Known| {
                let mut names = changed.verdicts.keys();
                entry.is_of(changed.clause, changed.case)
                    && names.all(|name| entry.verdicts.iter().any(|it| it == name))
            };
            match known.iter().find(is_expected) {
                Some(entry) => findings
                    .notes
                    .push(format!("{message}, as {} says", entry.place)),
                None => findings.complaints.push(Complaint {
                    candidate: Some(name.clone()),
                    clause: Some(changed.clause.to_owned()),
                    case: Some(changed.case.to_owned()),
                    ..Complaint::new(Kind::Unsteady, message)
                }),
            }
        }
        if let Some((before, after)) = &changed.observation {
            findings.notes.push(format!(
                "{of}: the observation changed in {runs} runs: first {before:?}, later {after:?}"
            ));
        }
    }
}

/// Adds a message for each entry of the file that the results do not match.
fn compare_with_file(findings: &mut Findings, checked: &[Checked], file: &File) {
    let expected = &file.expected;
    let mut not_run = 0;
    for entry in &expected.known {
        match entry_status(entry, checked) {
            EntryStatus::Stale(now) => {
                let fixed = Fixed::of(entry, &expected.known, checked);
                let delete = what_to_delete(&entry.place);
                let mend = match &fixed {
                    _ if !entry.versions.are_bounded() => {
                        let or = fixed
                            .as_ref()
                            .map(|it| format!("; or, to keep it for older versions, {}", it.line));
                        let or = or.unwrap_or_default();
                        format!("{delete}, or run again with --update{or}")
                    }
                    Some(fixed) => fixed.line.clone(),
                    None => delete,
                };
                let candidate = entry.candidate.as_deref();
                let message = format!(
                    "{}: {mend}",
                    stale_message(entry, now, candidate, fixed.as_ref()),
                );
                (findings.complaints).push(stale(entry, message, only_name(checked)));
            }
            EntryStatus::NotRun => not_run += 1,
            EntryStatus::OtherCandidate | EntryStatus::Undecided | EntryStatus::Occurs => {}
        }
    }
    for entry in &expected.judged {
        for (one, reason) in not_judged(entry, checked) {
            let of = match file.names_candidates(checked) {
                true => format!(" of {}", candidate_label(checked, &one.candidate)),
                false => String::new(),
            };
            let message = format!(
                "{}: {}{of} was judged before and is unsupported now ({reason}): find out why; if that is right, {}, or run again with --update",
                entry.place,
                entry.clause,
                what_to_delete(&entry.place),
            );
            findings.complaints.push(Complaint {
                candidate: Some(one.candidate.name.clone()),
                clause: Some(entry.clause.clone()),
                entry: Some(Entry {
                    file: entry.place.file.clone(),
                    line: entry.place.line,
                    ..Entry::default()
                }),
                ..Complaint::new(Kind::Lost, message)
            });
        }
        let is_not_run = |one: &Checked| {
            applies_to(entry.candidate.as_deref(), &one.candidate)
                && clause_verdict(one, &entry.clause).is_none()
        };
        not_run += usize::from(checked.iter().any(is_not_run));
    }
    if not_run > 0 {
        findings.notes.push(format!(
            "{}: {not_run} of {} entries were not compared: not all of their cases were run",
            file.name,
            expected.known.len() + expected.judged.len()
        ));
    }
}

/// The name of the candidate, if the run has only one.
fn only_name(checked: &[Checked]) -> Option<&str> {
    match checked {
        [one] => Some(&one.candidate.name),
        _ => None,
    }
}

/// The complaint about an entry whose deviation no longer occurs.
fn stale(entry: &Known, message: String, candidate: Option<&str>) -> Complaint {
    Complaint {
        candidate: (candidate.map(str::to_owned)).or_else(|| entry.candidate.clone()),
        clause: Some(entry.clause.clone()),
        case: entry.case.clone(),
        entry: Some(entry.entry()),
        ..Complaint::new(Kind::Stale, message)
    }
}

/// The message `FILE:LINE: CLAUSE no longer fails`.
fn stale_message(
    entry: &Known,
    now: Verdict,
    candidate: Option<&str>,
    fixed: Option<&Fixed>,
) -> String {
    let verdicts = Verdict::ALL.into_iter().filter(|it| entry.expects(*it));
    let verbs: Vec<_> = verdicts.map(verb).collect();
    let under = fixed.map(|it| format!(" {}", it.version));
    let of = candidate.map(|name| format!(" of {name}"));
    let with = entry.case.as_ref().map(|case| format!(" with {case}"));
    let but = match now {
        Verdict::Pass => String::new(),
        now => format!(" but {}", verb(now)),
    };
    format!(
        "{}: {}{} no longer {}{}{}{but}",
        entry.place,
        entry.clause,
        of.unwrap_or_default(),
        verbs.join(" or "),
        with.unwrap_or_default(),
        under.unwrap_or_default(),
    )
}

/// The end of a message: `delete this entry (lines 12 to 15)`.
fn what_to_delete(place: &Place) -> String {
    let (first, last) = place.lines;
    match &place.in_list {
        Some(_) => "delete this name from its list".into(),
        None if first == last => "delete this entry".into(),
        None => format!("delete this entry (lines {first} to {last})"),
    }
}

/// The complaint about a deviation that is not listed, with the entry to add.
fn unlisted(addition: &Addition, file: &File) -> Complaint {
    let of = addition.candidate.as_ref();
    let of = of.map(|name| format!(" of {name}")).unwrap_or_default();
    let entry: Vec<_> = addition.lines(None);
    let line = file.line_for_new_entry();
    let what_to_do = match addition.loses_data {
        true => {
            "the library changes bytes that its caller wrote: mend that first. Only to let it through until then, add this entry here"
        }
        false => "add this entry here",
    };
    let message = format!(
        "{}:{line}: {}{of} {} and is not listed: {what_to_do}, or run again with --update\n    {}",
        file.name,
        addition.clause,
        verb(addition.verdict),
        entry.join("\n    ")
    );
    Complaint {
        candidate: addition.candidate.clone(),
        clause: Some(addition.clause.to_owned()),
        entry: Some(Entry {
            file: file.name.clone(),
            line,
            ..Entry::default()
        }),
        ..Complaint::new(Kind::New, message)
    }
}

/// One complaint about all results of a candidate that are `error`.
fn errors(checked: &Checked) -> Option<Complaint> {
    let errors = checked.outcomes.iter();
    let errors: Vec<_> = errors
        .filter(|it| it.is_unexpected() && it.judgement.verdict == Verdict::Error)
        .collect();
    let first = errors.first()?;
    let message = format!(
        "{}: results that are `error`: {}; no entry can allow them, so fix the cause; the first is {} with {}: {}",
        checked.candidate.name,
        errors.len(),
        first.clause.id,
        first.case.name,
        first.judgement.observed
    );
    Some(Complaint {
        candidate: Some(checked.candidate.name.clone()),
        ..Complaint::new(Kind::Error, message)
    })
}

/// The verdict as the verb of a sentence about a clause.
fn verb(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "passes",
        Verdict::Fail => "fails",
        Verdict::Unsupported => "is unsupported",
        Verdict::Crash => "crashes",
        Verdict::Timeout => "times out",
        Verdict::Error => "cannot be observed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expected::known::Expected;
    use crate::expected::status::mark;
    use crate::expected::update::update;
    use crate::forged;
    use crate::repeat::{Changed, Repeated};
    use crate::select;
    use heapmin_harness::library::inspect::{Format, Maker};
    use heapmin_harness::library::profile::Profile;
    use heapmin_harness::parent::runner::Starter;
    use heapmin_harness::parent::target::Target;
    use rstest::rstest;

    /// A run by this Wine of a library of this maker and version, in which each of these
    /// clauses has the same verdict in all its cases.
    fn run(wine: &str, maker: Maker, library: &str, results: &[(&str, Verdict)]) -> Checked {
        let mut outcomes = Vec::new();
        for (id, verdict) in results {
            let cases = select::clause(id).unwrap().cases.len();
            outcomes.extend((0..cases).map(|case| forged::outcome(id, case, verdict.because("o"))));
        }
        let mut checked = forged::checked(outcomes);
        let candidate = &mut checked.candidate;
        candidate.runner.starter = Starter::Wine("/wine".into());
        candidate.runner.target = Target::new(Format::Pe, "x86_64");
        candidate.runner.wine_version = Some(wine.into());
        candidate.image.maker = maker;
        candidate.image.version = Some(library.into());
        checked
    }

    fn file(text: &str) -> File {
        File {
            name: "f.toml".into(),
            text: text.into(),
            expected: Expected::parse("f.toml", text).unwrap(),
            target: None,
        }
    }

    fn messages(findings: Findings) -> Vec<String> {
        let complaints = findings.complaints.into_iter();
        complaints.map(|it| it.message).collect()
    }

    /// The complaints about a run by Wine 10.0 of a library of version 7.0.
    fn complaints(text: &str, maker: Maker, results: &[(&str, Verdict)]) -> Vec<String> {
        let file = file(text);
        let mut checked = [run("10.0", maker, "7.0", results)];
        mark(&mut checked, file.known());
        messages(compare(&checked, &Profiles::default(), Some(&file)))
    }

    const ONE: &str = "heapmin.idempotent";
    const TWO: &str = "heapmin.doserrno";
    /// A clause that Wine's own heap breaks.
    const SHRINKS: &str = "expand.shrinking-succeeds";
    const DELETE: &str = "delete this entry (lines 1 to 3), or run again with --update";

    fn entry(more: &str) -> String {
        format!("[[known]]\nclause = '{ONE}'\nwhy = 'w'\n{more}")
    }

    #[rstest]
    #[case::wine(Maker::Wine, "", format!("under Wine 10.0: {DELETE}; or, to keep it for older versions, add at f.toml:4: until = {{ wine = \"10.0\" }}"))]
    #[case::microsoft(Maker::Microsoft, "", format!("in version 7.0: {DELETE}; or, to keep it for older versions, add at f.toml:4: until = {{ library = \"7.0\" }}, or until = {{ wine = \"10.0\" }} if Wine was fixed"))]
    #[case::own_library(Maker::Other, "", DELETE.to_owned())]
    #[case::since(
        Maker::Other,
        "since = { wine = '8.0' }\n",
        r#"under Wine 10.0: add at f.toml:5: until = { wine = "10.0" }"#.to_owned()
    )]
    #[case::later_until(
        Maker::Wine,
        "until = { wine = '11.0', library = '7.1' }\nadded = 2026-11-26\n",
        r#"under Wine 10.0: change f.toml:4 to: until = { wine = "10.0", library = "7.1" }"#.to_owned()
    )]
    #[case::of_the_library(
        Maker::Wine,
        "since = { library = '6.0' }\n",
        r#"in version 7.0: add at f.toml:5: until = { library = "7.0" }"#.to_owned()
    )]
    #[case::no_version_is_left(
        Maker::Wine,
        "since = { wine = '10.0' }\n",
        "delete this entry (lines 1 to 4)".to_owned()
    )]
    fn a_fixed_deviation_is_reported_with_the_line_to_write(
        #[case] maker: Maker,
        #[case] more: &str,
        #[case] wanted: String,
    ) {
        let seen = complaints(&entry(more), maker, &[(ONE, Verdict::Pass)]);
        let separator = if wanted.starts_with("delete") {
            ": "
        } else {
            " "
        };
        let wanted = format!("f.toml:1: {ONE} no longer fails{separator}{wanted}");
        assert_eq!(seen, [wanted]);
    }

    #[rstest]
    #[case::one_of_two(Verdict::Fail, &[
        r#"f.toml:2: heapmin.idempotent no longer fails under Wine 10.0: move this name to an entry of its own with until = { wine = "10.0" }"#,
    ])]
    #[case::both(Verdict::Pass, &[
        r#"f.toml:2: heapmin.idempotent no longer fails under Wine 10.0: add at f.toml:5: until = { wine = "10.0" }"#,
        r#"f.toml:2: heapmin.doserrno no longer fails under Wine 10.0: add at f.toml:5: until = { wine = "10.0" }"#,
    ])]
    fn a_list_is_bounded_only_if_all_of_it_is_fixed(
        #[case] other: Verdict,
        #[case] wanted: &[&str],
    ) {
        let text = format!(
            "[[known]]\nclause = ['{ONE}', '{TWO}']\nwhy = 'w'\nsince = {{ wine = '8.0' }}\n"
        );
        let results = [(ONE, Verdict::Pass), (TWO, other)];
        assert_eq!(complaints(&text, Maker::Wine, &results), wanted);
    }

    #[test]
    fn a_fixed_deviation_of_a_profile_is_reported_with_the_line_to_write() {
        let mut checked = run("10.0", Maker::Wine, "7.0", &[(ONE, Verdict::Pass)]);
        let head = "title = 'A'\nlibrary = 'a'\nsource = 'path'\nerrno = 'msvc'\n";
        let text = format!("{head}{}", entry("maker = 'wine'\n"));
        checked.candidate.profile = Some(Profile::parse("a", &text).unwrap());
        let profiles = Profiles::of([&checked.candidate]).unwrap();
        assert_eq!(
            messages(compare(&[checked], &profiles, None)),
            [
                r#"fixtures/profiles/a.toml:5: heapmin.idempotent no longer fails under Wine 10.0: add at fixtures/profiles/a.toml:9: until = { wine = "10.0" }"#
            ]
        );
    }

    #[rstest]
    #[case::fixed(Verdict::Pass, 1)]
    #[case::not_shown(Verdict::Unsupported, 0)]
    #[case::still_there(Verdict::Fail, 0)]
    fn a_deviation_of_the_system_must_occur_in_the_libraries_of_windows(
        #[case] verdict: Verdict,
        #[case] complaints: usize,
    ) {
        let mut checked = run("8.0", Maker::Microsoft, "7.0", &[(SHRINKS, verdict)]);
        let text = "title = 'A'\nlibrary = 'a'\nsource = 'system'\nerrno = 'msvc'\n";
        checked.candidate.profile = Some(Profile::parse("a", text).unwrap());
        let profiles = Profiles::of([&checked.candidate]).unwrap();
        let found = messages(compare(&[checked], &profiles, None));
        let stale = found.iter().filter(|it| {
            it.starts_with("fixtures/deviations/system-wine.toml:")
                && it.contains("expand.shrinking-succeeds no longer fails")
        });
        assert_eq!(stale.count(), complaints, "{found:?}");
    }

    #[rstest]
    #[case::other_version("until = { wine = '10.0' }", Verdict::Pass, &[])]
    #[case::other_version_of_the_library("since = { library = '7.0.1' }", Verdict::Pass, &[])]
    #[case::same_version("until = { wine = '10.1' }", Verdict::Fail, &[])]
    #[case::fails_again("until = { wine = '9.0' }", Verdict::Fail, &["since = { wine = \"10.0\" }"])]
    #[case::failed_before("since = { wine = '11.0' }", Verdict::Fail, &["until = { wine = \"11.0\" }"])]
    #[case::comes_and_goes("verdict = ['fail', 'pass']", Verdict::Pass, &[])]
    #[case::came("verdict = ['fail', 'pass']", Verdict::Fail, &[])]
    #[case::neither_of_a_list("verdict = ['fail', 'crash']", Verdict::Pass, &["no longer fails or crashes under"])]
    #[case::one_of_a_list("verdict = ['fail', 'crash']", Verdict::Crash, &[])]
    #[case::not_in_the_list("verdict = ['crash', 'pass']", Verdict::Fail, &[
        "no longer passes or crashes under Wine 10.0 but fails",
        "heapmin.idempotent fails and is not listed",
    ])]
    fn an_entry_holds_for_its_versions_and_verdicts(
        #[case] more: &str,
        #[case] verdict: Verdict,
        #[case] wanted: &[&str],
    ) {
        let seen = complaints(&entry(&format!("{more}\n")), Maker::Wine, &[(ONE, verdict)]);
        assert_eq!(seen.len(), wanted.len(), "{seen:?}");
        for (complaint, part) in seen.iter().zip(wanted) {
            assert!(complaint.contains(part), "{complaint}");
        }
    }

    #[rstest]
    #[case::all_expected("verdict = ['fail', 'pass']", true)]
    #[case::one_expected("", false)]
    #[case::other_version("verdict = ['fail', 'pass']\nuntil = { wine = '10.0' }", false)]
    fn a_verdict_may_change_between_runs_if_an_entry_expects_all_verdicts(
        #[case] more: &str,
        #[case] is_expected: bool,
    ) {
        let file = file(&entry(&format!("{more}\n")));
        let mut checked = run("10.0", Maker::Wine, "7.0", &[(ONE, Verdict::Fail)]);
        let changed = Changed {
            clause: ONE,
            case: checked.outcomes[0].case.name,
            verdicts: [("fail", 1), ("pass", 2)].into(),
            observation: None,
        };
        checked.repeated = Some(Repeated {
            runs: 3,
            changed: vec![changed],
        });
        let findings = compare(&[checked], &Profiles::default(), Some(&file));
        let is_changed = |it: &String| it.contains("the verdict changed in 3 runs: 1 fail, 2 pass");
        let complaints = findings.complaints.iter();
        let complaints = complaints.filter(|it| is_changed(&it.message)).count();
        let notes: Vec<_> = findings.notes.iter().filter(|it| is_changed(it)).collect();
        assert_eq!(
            (complaints, notes.len()),
            (usize::from(!is_expected), usize::from(is_expected))
        );
        assert!(notes.iter().all(|it| it.ends_with(", as f.toml:1 says")));
    }

    #[rstest]
    #[case::fixed("since = { wine = '8.0' }", Verdict::Pass, "")]
    #[case::another_version("until = { wine = '10.0' }", Verdict::Pass, "")]
    #[case::fails_again(
        "until = { wine = '10.0' }",
        Verdict::Fail,
        "since = { wine = \"10.0\" }\n# observed"
    )]
    #[case::of_its_maker(
        "maker = 'wine'\nuntil = { wine = '10.0' }",
        Verdict::Fail,
        "since = { wine = \"10.0\" }\n# observed"
    )]
    #[case::of_another_maker(
        "maker = 'microsoft'\nuntil = { wine = '10.0' }",
        Verdict::Fail,
        "clause = \"heapmin.idempotent\"\n# observed"
    )]
    fn an_update_keeps_entries_with_versions(
        #[case] more: &str,
        #[case] verdict: Verdict,
        #[case] added: &str,
    ) {
        let text = entry(&format!("{more}\nadded = 2026-11-26\n"));
        let mut checked = [run("10.0", Maker::Wine, "7.0", &[(ONE, verdict)])];
        let before = file(&text);
        mark(&mut checked, before.known());
        let (after, changes) = update(&before, &checked, "2026-11-26").unwrap();
        assert!(after.starts_with(&text) && after.contains(added), "{after}");
        assert_eq!(changes.known, (usize::from(!added.is_empty()), 0));
        let after = file(&after);
        mark(&mut checked, after.known());
        assert_eq!(
            update(&after, &checked, "2026-11-26").unwrap().1,
            Default::default()
        );
    }
}
