//! The page of forged runs: every deviation is there, the counts are the record's, links lead
//! somewhere, and no text of a record becomes markup.

use super::report;
use crate::beneath::Beneath;
use crate::clause::{Judgement, Reason, Verdict};
use crate::expected::gate::Findings;
use crate::forged;
use crate::record::{
    At, Call, Entry, Event, Fact, Kind, Moment, Outcome, Refused, Repeated, Run, State,
};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};

const IDEMPOTENT: &str = "heapmin.idempotent";
const EMPTY: &str = "heapmin.empty-heap";
const SUCCESS: &str = "heapmin.success-returns-zero";

fn entry(line: usize) -> Entry {
    Entry {
        file: "e.toml".into(),
        line,
        why: "an old wrapper".into(),
        bug: Some("https://example.org/bugs/7".into()),
        added: Some("2026-11-01".into()),
    }
}

fn call(event: usize, name: &str) -> Call {
    Call {
        event,
        call: format!("{name}()"),
        returned: "0".into(),
        errno: Some(["0".into(), "ENOMEM (12)".into()]),
        doserrno: Some([0, 8]),
        last_error: 5,
        handler_calls: 1,
        refusals: Some(3),
    }
}

/// Where the process ended in a step.
fn in_step(step: &str) -> Option<At> {
    Some(At {
        step: Some(step.into()),
        event: 9,
        call: Some(call(2, "first")),
    })
}

/// A run of two libraries with every verdict, reason and state, and a text in each field.
pub(in crate::views) fn every_kind() -> Run {
    let with = |clause: &str, judgement| forged::outcome(clause, 0, judgement);
    let crash = |clause: &str| crate::run::Outcome {
        at: in_step("use the heap"),
        ..with(
            clause,
            Verdict::Crash.because("SIGSEGV in \"use the heap\""),
        )
    };
    let known = crate::run::Outcome {
        known: Some(entry(3)),
        beneath: Some(Beneath {
            system: "Wine 10.0".into(),
            observed: "grew".into(),
        }),
        ..with("heapmin.coalesces", Judgement::fail("grew"))
    };
    let checked = forged::checked(vec![
        with("malloc.alignment", Judgement::pass("16")),
        with("heapmin.doserrno", Judgement::pass("0")),
        crash("malloc.zero-size"),
        crash("heapchk.sound-heap"),
        with(SUCCESS, Judgement::fail("1\n2")),
        forged::outcome(SUCCESS, 1, Judgement::fail("2")),
        known,
        with("heapmin.releases-memory", Verdict::Timeout.because("60 s")),
        with(
            "heapmin.releases-partial",
            Verdict::Error.because("not loaded"),
        ),
        with(IDEMPOTENT, Judgement::pass("same")),
        with(EMPTY, Judgement::not_judged("no call")),
        with(
            "heapmin.nothing-free",
            Judgement::not_applicable("only Windows"),
        ),
    ]);
    let about = |kind, clause, line| forged::complaint(kind, clause, entry(line));
    let findings = Findings {
        complaints: vec![
            about(Kind::Stale, IDEMPOTENT, 7),
            about(Kind::Lost, EMPTY, 9),
            about(Kind::Lost, "heapmin.nothing-free", 9),
        ],
        notes: vec!["a note".into()],
    };
    let mut run = forged::record(&[checked], findings);
    run.status = 1;
    run.machine.kernel = Some("6.1".into());
    run.options.arguments = vec!["check".into(), "c".into(), "--env=A".into()];
    run.refused.push(Refused {
        name: "d".into(),
        reason: "no library".into(),
        mend: "name another".into(),
    });
    let library = &mut run.candidates[0];
    library.version = Some("1.2".into());
    library.run_by = "Wine 10.0".into();
    library.repeated = Some(Repeated {
        runs: 2,
        changed: vec![crate::record::Changed {
            clause: IDEMPOTENT.into(),
            case: "twice".into(),
            verdicts: BTreeMap::from([("pass".into(), 1), ("fail".into(), 1)]),
            observations: Some(["one".into(), "other".into()]),
        }],
    });
    for case in library.cases.values_mut() {
        case.events = vec![
            Event::LeftOut(1),
            Event::Call(call(2, "first")),
            Event::Step("the step".into()),
            Event::Call(call(4, "second")),
            Event::Fact(Fact {
                event: 5,
                name: "lost bytes".into(),
                value: -7,
            }),
            Event::Note("a remark".into()),
        ];
        let moment = |moment: &str, resident| Moment {
            moment: moment.into(),
            resident,
            lazily_freed: resident / 2,
        };
        case.memory = vec![moment("baseline", 1 << 20), moment("peak", 9 << 20)];
    }
    let failed = library.results.iter_mut().find(|it| it.clause == SUCCESS);
    failed.expect("it is above").at = Some(At {
        step: Some("the step".into()),
        event: 4,
        call: Some(call(4, "second")),
    });
    let mut second = library.clone();
    second.name = "/lib/other.so".into();
    second.version = None;
    run.candidates.push(second);
    run
}

/// The parts of the page between two texts.
pub(in crate::views) fn between<'a>(page: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    let parts = page.split(start).skip(1);
    parts.map(|it| it.split(end).next().unwrap_or(it)).collect()
}

/// The elements of a page with their attributes, as text. Also checks that each one is closed.
pub(in crate::views) fn elements(page: &str) -> Vec<&str> {
    const VOID: [&str; 4] = ["meta", "input", "br", "wbr"];
    let mut open: Vec<&str> = Vec::new();
    let mut elements = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>').expect("a tag ends");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "in {tag}"),
            None if tag.starts_with('!') => {}
            None => {
                elements.push(tag);
                let name = tag.split(' ').next().unwrap_or(tag);
                if !VOID.contains(&name) {
                    open.push(name);
                }
                if ["script", "style"].contains(&name) {
                    let end = rest.find(&format!("</{name}>")).expect("it is closed");
                    rest = &rest[end..];
                }
            }
        }
    }
    assert!(open.is_empty(), "not closed: {open:?}");
    elements
}

pub(in crate::views) fn attributes<'a>(elements: &[&'a str], name: &str) -> Vec<&'a str> {
    let start = format!(" {name}=\"");
    let parts = elements.iter().flat_map(|it| between(it, &start, "\""));
    parts.collect()
}

#[test]
fn every_deviation_is_there_with_its_promise_calls_and_commands() {
    let run = every_kind();
    let page = report(&run);
    for library in &run.candidates {
        let deviations = library
            .results
            .iter()
            .filter(|it| it.verdict.is_deviation());
        let deviations: Vec<&Outcome> = deviations.collect();
        assert_eq!(deviations.len(), 7);
        for outcome in deviations {
            let title = match library.name.as_str() {
                "c" => "c-1.2",
                _ => "other.so",
            };
            let id = format!("id=\"{title}-{}-{}\"", outcome.clause, outcome.case);
            let [part] = between(&page, &id, "</article>")[..] else {
                panic!("{id} is not there once");
            };
            let promise = &run.promise(&outcome.clause).unwrap().promise;
            let command = format!("heapmin repro {} {}<", outcome.clause, library.name);
            let calls = "<td><code>first()</code></td>";
            // The second crash is in the card of the first, which has its calls and commands.
            let wanted = match outcome.clause == "heapchk.sound-heap" {
                true => vec![promise.as_str(), calls],
                false => vec![promise, &outcome.expected, &command, calls, "<svg"],
            };
            for text in wanted {
                assert!(part.contains(text), "{id}: {text}: {part}");
            }
        }
    }
}

#[test]
fn a_hint_and_a_loss_of_data_are_shown() {
    let mut run = every_kind();
    let results = &mut run.candidates[0].results;
    let first = results.iter_mut().find(|it| it.verdict == Verdict::Fail);
    let first = first.expect("a failure");
    first.hint = Some("38 is this <system>'s ENOSYS".into());
    first.loses_data = true;
    let page = report(&run);
    assert!(page.contains("38 is this &lt;system&gt;'s ENOSYS"));
    assert!(page.contains("mend this first"));
}

#[test]
fn a_step_that_ends_the_process_is_shown_once_with_the_clauses_that_it_hides() {
    let page = report(&every_kind());
    let cards = between(&page, "<article", "</article>");
    let of_step = cards
        .iter()
        .filter(|it| it.contains("in the step “use the heap”"));
    let of_step: Vec<_> = of_step.collect();
    assert_eq!(of_step.len(), 2, "one for each library");
    for card in of_step {
        assert!(
            card.contains("1 more result, in all of 2 clauses"),
            "{card}"
        );
        assert!(card.contains("malloc.zero-size"), "{card}");
        assert!(card.contains("heapchk.sound-heap"), "{card}");
    }
}

#[test]
fn the_event_that_deviates_is_marked_by_a_word() {
    let page = report(&every_kind());
    let rows = between(&page, "<tr class=\"deviates\">", "</tr>");
    let marked = rows.iter().filter(|it| it.contains("◀ deviates"));
    let marked: Vec<_> = marked.collect();
    assert_eq!(marked.len(), 2, "one for each library");
    assert!(
        marked.iter().all(|it| it.contains("second()")),
        "{marked:?}"
    );
    let ended = rows.iter().filter(|it| it.contains("◀ ended here"));
    assert_eq!(ended.count(), 4, "a crash and a timeout for each library");
}

#[test]
fn the_counts_are_those_of_the_record() {
    let run = every_kind();
    let page = report(&run);
    let table = between(&page, "<table class=\"figures\">", "</table>");
    let head: Vec<_> = between(table[0], "<th scope=\"col\">", "</th>");
    let body = between(table[0], "<tbody>", "</tbody>");
    let rows = between(body[0], "<tr>", "</tr>");
    assert_eq!(rows.len(), 2);
    for (library, row) in run.candidates.iter().zip(rows) {
        // The first heading is the row's own.
        let cells = between(row, "<td", "</td>");
        let cells: BTreeMap<&str, &str> = head[1..]
            .iter()
            .zip(cells)
            .map(|(head, cell)| (*head, cell.split('>').next_back().unwrap()))
            .collect();
        for (verdict, count) in &library.summary {
            if verdict != "unsupported" {
                assert_eq!(cells[verdict.as_str()], count.to_string(), "{verdict}");
            }
        }
        let count = |is: &dyn Fn(&Outcome) -> bool| {
            let results = library.results.iter();
            results.filter(|it| is(it)).count().to_string()
        };
        let reason = |reason| count(&|it| it.reason == Some(reason));
        assert_eq!(cells["not judged"], reason(Reason::NotJudged));
        assert_eq!(cells["not applicable"], reason(Reason::NotApplicable));
        for (column, state) in [
            ("new", State::New),
            ("known", State::Known),
            ("stale", State::Stale),
            ("lost", State::Lost),
        ] {
            assert_eq!(cells[column], count(&|it| it.state == state), "{column}");
        }
        assert_eq!(cells["all results"], library.results.len().to_string());
    }
    assert!(page.contains("New deviations (12)"), "six for each library");
    assert!(page.contains("Known deviations (2)"));
    assert!(page.contains("Stale, lost and unsteady (8)"));
}

#[test]
fn the_matrix_has_a_cell_for_each_clause_and_library() {
    let mut run = every_kind();
    // Of several runs as one, a library may lack a clause.
    run.candidates[1].results.remove(0);
    let page = report(&run);
    let matrix = between(&page, "<table class=\"matrix\">", "</table>");
    let rows = between(matrix[0], "<tr class=\"clause\">", "</tr>");
    assert_eq!(rows.len(), run.clauses.len());
    for clause in &run.clauses {
        let name = clause.id.replace('.', ".<wbr>");
        let start = format!("<th scope=\"row\">{name} <small>");
        let row = rows.iter().find(|it| it.starts_with(&start));
        let row = row.expect("each clause has a row");
        assert_eq!(
            row.matches("<td").count(),
            run.candidates.len() + 1,
            "{row}"
        );
    }
    assert!(matrix[0].contains("· not run"));
    assert!(matrix[0].contains("✗ fail, known"));
    assert!(matrix[0].contains("✓ pass, stale"));
    assert!(matrix[0].contains("– not judged, lost"));
}

/// A clause of which one case is a known crash and another a new failure is new as well.
#[test]
fn a_cell_has_the_states_of_all_cases() {
    let crash = crate::run::Outcome {
        known: Some(entry(3)),
        ..forged::outcome(SUCCESS, 0, Verdict::Crash.because("SIGSEGV"))
    };
    let failure = forged::outcome(SUCCESS, 1, Judgement::fail("1"));
    let checked = forged::checked(vec![crash, failure]);
    let page = report(&forged::record(&[checked], Findings::default()));
    assert!(page.contains("‼ crash, known, new</a>"), "{page}");
}

#[test]
fn ids_are_unique_and_links_within_the_page_lead_to_one() {
    let mut run = every_kind();
    // Two results of one case, and two libraries of one name, must not share an id.
    let twin = run.candidates[0].clone();
    run.candidates.push(twin);
    let again = run.candidates[0].results[4].clone();
    run.candidates[0].results.push(again);
    check_ids(&report(&run));
}

fn check_ids(page: &str) {
    let elements = elements(page);
    let ids = attributes(&elements, "id");
    let mut seen = HashSet::new();
    for id in &ids {
        assert!(seen.insert(*id), "{id} is there twice");
    }
    let links = attributes(&elements, "href").into_iter();
    let within: Vec<_> = links.filter_map(|it| it.strip_prefix('#')).collect();
    assert!(within.len() > 20);
    for link in within {
        assert!(seen.contains(link), "#{link} leads to nothing");
    }
}

#[test]
fn each_clause_of_a_library_has_an_id_that_does_not_depend_on_its_result() {
    let page = report(&every_kind());
    for result in [
        "heapmin.idempotent",
        SUCCESS,
        "malloc.zero-size",
        "heapchk.sound-heap",
    ] {
        assert_eq!(
            page.matches(&format!("id=\"other.so-{result}\"")).count(),
            1,
            "{result}"
        );
    }
}

/// Texts that would end an attribute or an element, begin another, or hide something.
pub(in crate::views) const HOSTILE: &str = "<script>window.pwned = 1</script>\"><img src=x onerror=alert(1)>\
    ' onmouseover='alert(1)</style></script></title></svg><b>\u{202e}evil\u{2066}a\0b\u{1b}[31m\
    &lt;&amp;javascript:alert(1)<!--";

/// The run with this text at the end of one of the texts of its record, for each kind of text,
/// with the place of the text.
pub(in crate::views) fn with_text_everywhere(run: &Run, text: &str) -> Vec<(String, Run)> {
    let value = serde_json::to_value(run).unwrap();
    let mut pointers = Vec::new();
    texts(&value, String::new(), &mut pointers);
    let mut kinds = HashSet::new();
    let mut runs = Vec::new();
    for pointer in pointers {
        // Of the results, the cases and their events, the first of each kind.
        let parts = pointer.split('/').filter(|it| it.parse::<usize>().is_err());
        let mut parts: Vec<_> = parts.collect();
        if parts.get(2) == Some(&"cases") && parts.len() > 4 {
            parts.remove(3);
        }
        if !kinds.insert(parts.join("/")) {
            continue;
        }
        let mut changed = value.clone();
        if let Some(Value::String(field)) = changed.pointer_mut(&pointer) {
            field.push_str(text);
        }
        // It fails for one of a fixed set of words, such as a verdict.
        if let Ok(run) = serde_json::from_value(changed) {
            runs.push((pointer, run));
        }
    }
    runs
}

/// The places of the texts in a value.
fn texts(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(at),
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                texts(value, format!("{at}/{index}"), found);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                texts(value, format!("{at}/{name}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn no_text_of_a_record_becomes_markup() {
    let mut run = every_kind();
    run.candidates.truncate(1);
    let names = |elements: &[&str]| {
        let names = elements.iter().map(|it| it.split(' ').next().unwrap());
        let loading = ["script", "style", "img", "title", "meta"];
        names.filter(|it| loading.contains(it)).count()
    };
    let wanted = names(&elements(&report(&run)));
    let runs = with_text_everywhere(&run, HOSTILE);
    assert!(runs.len() > 60, "{}", runs.len());
    for (pointer, run) in runs {
        let page = report(&run);
        assert!(
            !page.contains(['\0', '\u{202e}', '\u{2066}', '\u{1b}']),
            "{pointer}"
        );
        let elements = elements(&page);
        for element in &elements {
            let bad = ["onerror", "onmouseover", "src=", "javascript:"];
            assert!(
                !bad.iter().any(|it| in_names(element, it)),
                "{pointer}: {element}"
            );
        }
        assert_eq!(names(&elements), wanted, "{pointer}");
        check_ids(&page);
    }
}

/// Whether a tag has this text outside of the values of its attributes, or in an address.
pub(in crate::views) fn in_names(element: &str, text: &str) -> bool {
    let outside: String = element.split('"').step_by(2).collect();
    let addresses = attributes(&[element], "href");
    outside.contains(text) || addresses.iter().any(|it| it.starts_with(text))
}

#[test]
fn a_very_long_word_is_cut() {
    let mut run = every_kind();
    run.candidates[0].results[4].observed = "x".repeat(5 << 20);
    run.candidates[0].name = "n".repeat(1 << 20);
    let page = report(&run);
    assert!(page.len() < 1 << 20, "{} bytes", page.len());
    assert!(page.contains("more characters"));
}

/// 24 libraries with all results, every tenth of them a deviation with the most events, and
/// half of these known: more than all known libraries together have.
#[test]
fn a_large_run_has_a_page_of_less_than_5_mib() {
    let clauses = crate::clauses::all();
    let results =
        clauses.flat_map(|clause| (0..clause.cases.len()).map(move |case| (clause, case)));
    let outcomes = results.enumerate().map(|(index, (clause, case))| {
        let observed = format!("{} {case}", clause.id);
        let judgement = match index % 10 {
            0 => Judgement::fail(observed),
            _ => Judgement::pass(observed),
        };
        crate::run::Outcome {
            known: (index % 20 == 0).then(|| entry(3)),
            ..forged::outcome(clause.id, case, judgement)
        }
    });
    let mut run = forged::record(&[forged::checked(outcomes.collect())], Findings::default());
    for (index, case) in run.candidates[0].cases.values_mut().enumerate() {
        case.events = (1..=60)
            .map(|event| Event::Call(call(event, "realloc")))
            .collect();
        // Every other case measures the memory.
        let moments = (0..6 * (index as u64 % 2)).map(|index| Moment {
            moment: format!("moment {index}"),
            resident: index << 20,
            lazily_freed: 0,
        });
        case.memory = moments.collect();
    }
    for number in 1..24 {
        let mut library = run.candidates[0].clone();
        library.name = format!("library-{number}");
        run.candidates.push(library);
    }
    let page = report(&run);
    let deviations = run.candidates.iter().flat_map(|it| &it.results);
    let deviations = deviations.filter(|it| it.verdict.is_deviation()).count();
    assert!(deviations > 1000, "{deviations}");
    assert!(
        page.len() < 5 << 20,
        "{} bytes with {deviations} deviations",
        page.len()
    );
}
