//! The three reports of a forged run that has every kind of outcome.

use super::{Format, Style, human, json, markdown};
use crate::clause::{Judgement, Verdict};
use crate::clauses;
use crate::expected::gate::Findings;
use crate::forged::{self, checked};
use crate::record::{Complaint, Entry, Kind, Run};
use crate::run::{Checked, Outcome};
use heapmin_harness::parent::runner::Starter;
use heapmin_harness::wire::fence::InForce;

fn outcome(id: &str, verdict: Verdict, observed: &str, known: Option<&str>) -> Outcome {
    Outcome {
        known: known.map(|why| Entry {
            file: "e.toml".into(),
            line: 3,
            why: why.into(),
            ..Entry::default()
        }),
        ..forged::outcome(id, 0, verdict.because(observed))
    }
}

fn unsupported(id: &str, judgement: Judgement) -> Outcome {
    forged::outcome(id, 0, judgement)
}

/// The judgement of a clause for which the library lacks this routine.
fn missing(routine: &str) -> Judgement {
    Judgement {
        missing: Some(routine.to_owned()),
        ..Judgement::not_judged(format!("the library does not export {routine}"))
    }
}

/// A run with every kind of outcome: a clause judged by several cases, known and
/// unknown deviations, and clauses not judged for the same and for another reason.
fn every_kind() -> Checked {
    Checked {
        fence: Some(InForce {
            kept: vec!["no network".into(), "3 MiB".into()],
            missing: vec!["scratch folder (no Landlock)".into()],
        }),
        given_back: Some((4 << 20, 3 << 20)),
        ..checked(vec![
            outcome("heapmin.success-returns-zero", Verdict::Pass, "0", None),
            outcome(
                "heapmin.success-returns-zero",
                Verdict::Fail,
                "1 | one\ntwo",
                None,
            ),
            outcome(
                "heapmin.success-returns-zero",
                Verdict::Pass,
                "0 again",
                None,
            ),
            outcome(
                "heapmin.coalesces",
                Verdict::Crash,
                "SIGSEGV",
                Some("see page"),
            ),
            outcome("heapmin.doserrno", Verdict::Pass, "0", None),
            outcome("heapmin.idempotent", Verdict::Pass, "same", None),
            unsupported("malloc.alignment", missing("malloc")),
            unsupported("malloc.zero-size", missing("malloc")),
            unsupported("heapwalk.null-is-einval", missing("_heapwalk")),
            unsupported(
                "heapmin.same-heap-through-alias",
                Judgement::not_applicable("no second name"),
            ),
            unsupported("heapmin.empty-heap", Judgement::not_judged("no call")),
            outcome("heapchk.sound-heap", Verdict::Timeout, "60 s", None),
        ])
    }
}

fn complaint(message: &str) -> Complaint {
    Complaint::new(Kind::New, message.into())
}

/// The record of a run without findings.
fn record(checked: &[Checked]) -> Run {
    forged::record(checked, Findings::default())
}

fn findings() -> Findings {
    Findings {
        complaints: vec![complaint("heapmin.success-returns-zero fails")],
        notes: vec!["a note".into()],
    }
}

/// The text without colours, as in a file.
fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// The report for people of one candidate, without findings.
fn human_text(checked: Checked, every_clause: bool) -> String {
    let text = human::report(
        &record(&[checked]),
        Style {
            every_clause,
            ..Style::default()
        },
    );
    plain(&text)
}

#[test]
fn the_report_for_people() {
    let text = human::report(
        &forged::record(&[every_kind()], findings()),
        Style {
            every_clause: true,
            ..Style::default()
        },
    );
    insta::assert_snapshot!(plain(&text), @r#"
c
/c.so, ELF x86_64
fence: no network; 3 MiB
not in force: scratch folder (no Landlock)
new deviations: 2 results, 2 causes

heapchk.sound-heap: timeout
  promised  _heapchk returns _HEAPOK for a heap that is sound, or _HEAPEMPTY for
            one that is not initialised (_heapchk, Return value)
  basis     stated by the page
  expected  every call of _heapchk: _HEAPOK (-2) or _HEAPEMPTY (-1)
  observed  60 s
  case      heapchk-life: calls _heapchk before the first allocation, with 3000
            blocks, with gaps between them, after _heapmin, with the gaps filled,
            and after the last free
  again     heapmin check --only heapchk.sound-heap c
  alone     heapmin repro heapchk.sound-heap c

heapmin.success-returns-zero: fail
  promised  _heapmin returns 0 if it succeeds (_heapmin, Return value)
  basis     stated by the page
  expected  if a call succeeds, every call of _heapmin: 0 or -1
  observed  1 | one
            two
  case      start-values: calls _heapmin from every pair of six values of errno
            and six of the system's last error
  again     heapmin check --only heapmin.success-returns-zero c
  alone     heapmin repro heapmin.success-returns-zero c

──────────────────────────────────────────────────────────────────────────────────────────────────
 clause                            level    verdict         seen                                  
══════════════════════════════════════════════════════════════════════════════════════════════════
 heapmin.success-returns-zero      must     FAIL            1 | one                               
                                                            two                                   
 heapmin.coalesces                 must     crash (known)   SIGSEGV                               
 heapmin.doserrno                  record   recorded        0                                     
 heapmin.idempotent                should   pass            same                                  
 malloc.alignment                  must     unsupported     the library does not export malloc    
 malloc.zero-size                  must     unsupported     the library does not export malloc    
 heapwalk.null-is-einval           must     unsupported     the library does not export _heapwalk 
 heapmin.same-heap-through-alias   must     unsupported     no second name                        
 heapmin.empty-heap                must     unsupported     no call                               
 heapchk.sound-heap                must     TIMEOUT         60 s                                  
──────────────────────────────────────────────────────────────────────────────────────────────────
not applicable: no second name (heapmin.same-heap-through-alias)
not judged: no call (heapmin.empty-heap)
the library does not export malloc, _heapwalk: 3 clauses were not judged
heapmin.coalesces: crash
  promised  _heapmin merges the memory of many small freed blocks, so that one
            large block of the same total fits without a higher peak (free,
            Remarks)
  basis     limit chosen by this suite: at most 2 % more are resident with the
            large block than at the peak of the small blocks
  expected  if a call succeeds, at most 2 % more resident with the large block
            than at the peak of the small ones
  observed  SIGSEGV
  case      small-blocks-then-a-large-one: fills 64 MiB with blocks of 256 bytes,
            frees them, calls _heapmin, and fills one block of 64 MiB
  known     see page

not as expected
heapmin.success-returns-zero fails
a note

c: 4 pass, 1 fail, 5 unsupported, 1 crash, 1 timeout (2 new, 1 known); given back 3.0 MiB of 4.0 MiB (75 %); judged 4 of 8 clauses that apply
"#);
}

#[test]
fn the_report_for_people_by_routine() {
    // One clause too many for a row each.
    let mut outcomes: Vec<Outcome> = clauses::all()
        .filter(|clause| !clause.cases.is_empty())
        .map(|clause| outcome(clause.id, Verdict::Pass, "fine", None))
        .collect();
    outcomes[3].judgement.verdict = Verdict::Fail;
    outcomes[4].judgement = Judgement::not_judged("fine");
    for outcome in &mut outcomes {
        if outcome.clause.routine == "calloc" {
            outcome.judgement = missing("calloc");
        }
    }
    outcomes.truncate(41);
    let all = human_text(checked(outcomes.clone()), true);
    assert!(all.contains(outcomes[40].clause.id));
    let text = human_text(checked(outcomes.clone()), false);
    insta::assert_snapshot!(text, @r#"
c
/c.so, ELF x86_64
no fence
new deviations: 1 result, 1 cause

heapmin.failure-returns-minus-one: fail
  promised  _heapmin returns -1 and no other value if it fails (_heapmin, Return
            value)
  basis     stated by the page
  expected  if a call fails, or the system refuses a request, -1 from each such
            call
  observed  fine
  case      start-values: calls _heapmin from every pair of six values of errno
            and six of the system's last error
  again     heapmin check --only heapmin.failure-returns-minus-one c
  alone     heapmin repro heapmin.failure-returns-minus-one c

─────────────────────────────────────────────────────────────────
 routine    clauses   verdicts                                   
═════════════════════════════════════════════════════════════════
 _heapmin   22        19 pass, 1 recorded, 1 unsupported, 1 FAIL 
 malloc     16        16 pass                                    
─────────────────────────────────────────────────────────────────
not judged: fine (heapmin.failure-sets-enosys)
the library does not export calloc: 3 clauses were not judged

c: 36 pass, 1 fail, 4 unsupported (1 new, 0 known); judged 36 of 40 clauses that apply
"#);
    outcomes.truncate(40);
    let all = human_text(checked(outcomes.clone()), false);
    assert!(all.contains(outcomes[39].clause.id));
}

#[test]
fn without_deviations_the_report_is_the_table_and_the_closing_line() {
    let outcomes = vec![outcome("heapmin.idempotent", Verdict::Pass, "same", None)];
    let text = human::report(
        &record(&[checked(outcomes)]),
        Style {
            width: Some(70),
            ..Style::default()
        },
    );
    insta::assert_snapshot!(plain(&text), @r#"
c
/c.so, ELF x86_64
no fence
──────────────────────────────────────────────
 clause               level    verdict   seen 
══════════════════════════════════════════════
 heapmin.idempotent   should   pass      same 
──────────────────────────────────────────────

c: 1 pass, 0 fail; judged 1 of 1 clauses that apply
"#);
}

#[test]
fn the_first_of_several_cases_with_the_same_verdict_is_shown() {
    let outcomes = vec![
        outcome("heapmin.idempotent", Verdict::Pass, "first", None),
        outcome("heapmin.idempotent", Verdict::Pass, "second", None),
    ];
    let text = human_text(checked(outcomes), true);
    assert!(text.contains("first") && !text.contains("second"), "{text}");
}

#[test]
fn an_empty_line_separates_complaints_from_the_closing_line() {
    let complaints = vec![complaint("a complaint")];
    let findings = Findings {
        complaints,
        notes: Vec::new(),
    };
    let text = human::report(
        &forged::record(&[checked(vec![])], findings),
        Style::default(),
    );
    let text = plain(&text);
    assert!(
        text.contains("not as expected\na complaint\n\nc: "),
        "{text}"
    );
}

#[test]
fn the_report_says_that_there_is_no_fence() {
    assert!(human_text(checked(vec![]), false).contains("no fence"));
}

#[test]
fn each_report_names_the_wine_that_ran_the_library() {
    let run_by = |version: Option<&str>| {
        let mut checked = every_kind();
        checked.candidate.runner.starter = Starter::Wine("/usr/bin/wine".into());
        checked.candidate.runner.wine_version = version.map(str::to_owned);
        [checked]
    };
    let people = |version| {
        let text = human::report(&record(&run_by(version)), Style::default());
        plain(&text)
    };
    assert!(people(Some("8.0")).contains("ELF x86_64, run by Wine 8.0, /usr/bin/wine\n"));
    assert!(people(None).contains("ELF x86_64, run by Wine, /usr/bin/wine\n"));
    let programs = |version| json::report(&record(&run_by(version)));
    assert!(programs(Some("8.0")).contains("\"wine\": \"8.0\","));
    assert!(!programs(None).contains("\"wine\""));
    let [under_wine] = run_by(Some("8.0"));
    let table = markdown::report(&record(&[under_wine, every_kind()]));
    assert!(table.contains("\n| run by | Wine 8.0 | — |\n"), "{table}");
}

#[test]
fn the_report_does_not_mention_a_fence_that_no_probe_raised() {
    let mut checked = checked(vec![]);
    checked.candidate.runner.is_fenced = true;
    assert!(!human_text(checked, false).contains("fence"));
}

#[test]
fn the_report_in_markdown() {
    let mut versioned = every_kind();
    versioned.candidate.name = "/lib/ucrtbase.dll".into();
    versioned.candidate.image.version = Some("10.0.1".into());
    let mut named = checked(vec![]);
    named.candidate.name = "msvcrt".into();
    named.candidate.image.version = Some("7.0".into());
    let text = markdown::report(&record(&[versioned, every_kind(), named]));
    insta::assert_snapshot!(text, @r#"
## heapmin: ✘ new deviations: 4

| library | results | new | known | clauses judged, of those that apply |
| --- | --- | --- | --- | --- |
| `ucrtbase 10.0.1` | 4 pass, 1 fail, 5 unsupported, 1 crash, 1 timeout | 2 | 1 | 4 of 8 |
| `c` | 4 pass, 1 fail, 5 unsupported, 1 crash, 1 timeout | 2 | 1 | 4 of 8 |
| `msvcrt` |  | 0 | 0 | 0 of 0 |

### New in `ucrtbase 10.0.1`

- **`heapchk.sound-heap`**, timeout: `60 s`. Promised ([page](https://learn.microsoft.com/cpp/c-runtime-library/reference/heapchk#return-value)): _heapchk returns _HEAPOK for a heap that is sound, or _HEAPEMPTY for one that is not initialised.
- **`heapmin.success-returns-zero`**, fail: `1 \| one two`. Promised ([page](https://learn.microsoft.com/cpp/c-runtime-library/reference/heapmin#return-value)): _heapmin returns 0 if it succeeds.

### New in `c`

- **`heapchk.sound-heap`**, timeout: `60 s`. Promised ([page](https://learn.microsoft.com/cpp/c-runtime-library/reference/heapchk#return-value)): _heapchk returns _HEAPOK for a heap that is sound, or _HEAPEMPTY for one that is not initialised.
- **`heapmin.success-returns-zero`**, fail: `1 \| one two`. Promised ([page](https://learn.microsoft.com/cpp/c-runtime-library/reference/heapmin#return-value)): _heapmin returns 0 if it succeeds.

<details><summary>Routine by library</summary>

| routine | `ucrtbase 10.0.1` | `c` | `msvcrt` |
| --- | --- | --- | --- |
| `_heapmin` | 1 pass, 1 fail, 1 crash, 1 not judged, 1 not applicable | 1 pass, 1 fail, 1 crash, 1 not judged, 1 not applicable | — |
| `malloc` | 2 not judged | 2 not judged | — |
| `_heapwalk` | 1 not judged | 1 not judged | — |
| `_heapchk` | 1 crash | 1 crash | — |
| clauses judged, of those that apply | 4 of 8 | 4 of 8 | 0 of 0 |

</details>

<details><summary>Known deviations: 2</summary>

| library | clause | case | verdict | observed | reason |
| --- | --- | --- | --- | --- | --- |
| `ucrtbase 10.0.1` | `heapmin.coalesces` | `small-blocks-then-a-large-one` | crash | `SIGSEGV` | `see page` |
| `c` | `heapmin.coalesces` | `small-blocks-then-a-large-one` | crash | `SIGSEGV` | `see page` |

</details>
"#);
}

/// Every kind of result and of complaint, from a library that writes XML, Markdown, HTML and
/// workflow commands.
fn hostile() -> Run {
    let words = "]]>&<b a='\u{1}\u{202e}\"> `|` %0A\r\n::error::x @team \u{0}";
    let mut hostile = every_kind();
    hostile.candidate.name = words.into();
    for outcome in &mut hostile.outcomes {
        outcome.judgement.observed = words.into();
    }
    let about = |kind| Complaint {
        candidate: Some(words.into()),
        clause: Some("heapmin.idempotent".into()),
        entry: Some(Entry {
            file: words.into(),
            line: 1,
            ..Entry::default()
        }),
        ..Complaint::new(kind, words.into())
    };
    let findings = Findings {
        complaints: [Kind::Stale, Kind::Lost, Kind::Unsteady, Kind::NoBug]
            .map(about)
            .into(),
        notes: Vec::new(),
    };
    forged::record(&[hostile], findings)
}

#[test]
fn junit_has_every_result_and_its_counts_agree() {
    let run = hostile();
    let text = view(&run, Format::Junit);
    let read = quick_junit::Report::deserialize_from_str(&text).expect("it is JUnit");
    let cases = || read.test_suites.iter().flat_map(|suite| &suite.test_cases);
    let results = run.candidates[0].results.len();
    assert_eq!(cases().count(), results + run.complaints.len());
    let failing = |case: &&quick_junit::TestCase| {
        matches!(case.status, quick_junit::TestCaseStatus::NonSuccess { .. })
    };
    let new = run.candidates[0]
        .results
        .iter()
        .filter(|it| it.is_unexpected());
    assert_eq!(
        cases().filter(failing).count(),
        new.count() + run.complaints.len()
    );
    let mut names: Vec<_> = cases().map(|case| (&case.classname, &case.name)).collect();
    names.dedup();
    assert!(
        !text.contains(['\u{0}', '\u{1}']),
        "XML has no such characters"
    );
    assert!(text.contains("type=\"heapmin.known\""), "{text}");
    let first = text.lines().find(|it| it.contains("<testsuites")).unwrap();
    assert!(
        !first.contains("skipped"),
        "Jenkins' schema refuses it: {first}"
    );
    assert!(text.contains(" skipped=\""), "each suite has its own");
}

#[test]
fn the_words_of_a_library_are_words_in_every_view() {
    let run = hostile();
    for line in view(&run, Format::Github).lines() {
        assert!(line.starts_with("::error "), "{line}");
        assert!(
            !line[8..].contains("::error::") || line.matches("::error").count() == 2,
            "{line}"
        );
    }
    for line in view(&run, Format::Markdown).lines() {
        assert!(!line.trim_start().starts_with("::error"), "{line}");
    }
}

#[test]
fn github_shows_at_most_ten_annotations() {
    let fail = || Judgement::fail("1");
    let all = clauses::all().map(|it| forged::outcome(it.id, 0, fail()));
    let run = record(&[checked(all.collect())]);
    let text = view(&run, Format::Github);
    assert_eq!(text.lines().count(), 10);
    let last = text.lines().last().unwrap();
    assert!(
        last.ends_with(" more; the report has all of them"),
        "{last}"
    );
}

fn view(run: &Run, format: Format) -> String {
    super::view(run, format, Style::default())
}
