//! The pages of forged runs: links lead to pages that are there, new failures are first, and no
//! text of a record becomes markup or the path of a file.

use super::forged::{CLAUSE, named, run};
use super::{Index, Site, site};
use crate::clause::{Judgement, Verdict};
use crate::record::{Entry, Library, Run, State};
use crate::views::html::tests::{
    HOSTILE, attributes, between, elements, every_kind, in_names, with_text_everywhere,
};
use std::collections::{BTreeSet, HashMap, HashSet};

fn pass() -> Judgement {
    Judgement::pass("0")
}

fn fail() -> Judgement {
    Judgement::fail("it grew")
}

fn made(runs: Vec<Run>) -> Site {
    site(runs, None, &[]).unwrap()
}

/// The page at this path.
fn page<'a>(site: &'a Site, path: &str) -> &'a str {
    let mut files = site.files.iter();
    let (_, text) = files
        .find(|(known, _)| known == path)
        .unwrap_or_else(|| panic!("{path} is missing"));
    text
}

/// The text within the element with this id.
fn section<'a>(page: &'a str, id: &str) -> &'a str {
    between(page, &format!("<section id=\"{id}\""), "</section>")[0]
}

/// A library that a list of known deviations names.
fn known() -> Library {
    let mut library = named("known.so", fail());
    let result = &mut library.results[0];
    result.state = State::Known;
    result.known = true;
    result.entry = Some(Entry {
        file: "e.toml".into(),
        line: 3,
        why: "an old wrapper".into(),
        bug: Some("https://example.org/bugs/7".into()),
        added: Some("2026-11-01".into()),
    });
    library
}

/// Three runs: `worse.so` fails in the last, and `known.so` always.
fn three() -> Vec<Run> {
    let libraries = |worse| vec![named("a.so", pass()), known(), named("worse.so", worse)];
    vec![
        run("2026-01-01T00:00:00Z", libraries(pass())),
        run("2026-01-02T00:00:00Z", libraries(pass())),
        run("2026-01-03T00:00:00Z", libraries(fail())),
    ]
}

/// Follows every link of every page, and checks that ids are unique.
fn check_links(site: &Site) {
    let mut ids: HashMap<&str, HashSet<&str>> = HashMap::new();
    let pages = || {
        site.files
            .iter()
            .filter(|(path, _)| path.ends_with(".html"))
    };
    for (path, text) in pages() {
        let of_page = attributes(&elements(text), "id");
        let unique: HashSet<_> = of_page.iter().copied().collect();
        assert_eq!(unique.len(), of_page.len(), "{path}: an id is there twice");
        ids.insert(path, unique);
    }
    let files: HashSet<_> = site.files.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(files.len(), site.files.len(), "two files have one path");
    let mut followed = BTreeSet::new();
    for (path, text) in pages() {
        for link in attributes(&elements(text), "href") {
            if link.starts_with("https://") || link.starts_with("http://") {
                continue;
            }
            let (file, id) = link.split_once('#').unwrap_or((link, ""));
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let target = match (file, file.strip_prefix("../"), folder) {
                ("", _, _) => path.clone(),
                (_, Some(file), folder) if !folder.is_empty() => file.to_owned(),
                (_, None, "") => file.to_owned(),
                _ => panic!("{path}: {link}"),
            };
            assert!(files.contains(target.as_str()), "{path}: {link}");
            let is_there = id.is_empty() || ids[target.as_str()].contains(id);
            assert!(is_there, "{path}: {link}");
            followed.insert(target);
        }
    }
    for (path, _) in pages() {
        assert!(followed.contains(path), "no link leads to {path}");
    }
}

#[test]
fn every_link_leads_to_a_page_and_every_page_has_a_link() {
    check_links(&made(three()));
    check_links(&made(vec![every_kind(), every_kind()]));
    check_links(&made(vec![run("1", Vec::new())]));
}

#[test]
fn new_failures_come_first() {
    let site = made(three());
    let index = page(&site, "index.html");
    assert!(index.contains("✗ new failures"), "{index}");
    let sections = between(index, "<section id=\"", "\"");
    assert_eq!(sections, ["new", "libraries", "lost", "matrix", "runs"]);
    let new = section(index, "new");
    assert!(new.contains("New failures (1)"), "{new}");
    assert!(new.contains("libraries/worse.so-x86_64.html"), "{new}");
    assert!(!new.contains("known.so"), "{new}");
    // The library with a new failure comes before the others.
    let libraries = section(index, "libraries");
    let rows = between(libraries, "<tbody>", "</tbody>");
    assert_eq!(rows.len(), 3);
    assert!(rows[0].contains("worse.so"), "{}", rows[0]);
    assert!(rows[0].contains("fails anew"), "{}", rows[0]);
}

#[test]
fn a_failure_is_not_new_in_the_run_after() {
    let mut runs = three();
    let mut again = runs[2].clone();
    again.started = "2026-01-04T00:00:00Z".into();
    runs.push(again);
    let site = made(runs);
    assert!(page(&site, "index.html").contains("✓ no new failure"));
    let library = page(&site, "libraries/worse.so-x86_64.html");
    assert!(library.contains("2026-01-03 00:00:00 UTC</time>: regressed 1"));
}

#[test]
fn a_clause_has_the_libraries_that_keep_it_and_those_that_do_not() {
    let mut runs = three();
    let lacks = named("lacks.so", Judgement::not_judged("no call"));
    runs[2].candidates.push(lacks);
    let site = made(runs);
    let clause = page(&site, &format!("clauses/{CLAUSE}.html"));
    let answers = section(clause, "clause");
    let answer = |word: &str| {
        let parts = between(answers, &format!("{word}</dt>"), "</dd>");
        assert_eq!(parts.len(), 1, "{word}: {answers}");
        between(parts[0], ".html\">", ", x86_64")
    };
    assert_eq!(answer("✓ kept by"), ["a.so"]);
    assert_eq!(answer("✗ broken by"), ["known.so", "worse.so"]);
    assert_eq!(answer("– not judged"), ["lacks.so"]);
    assert!(
        answers.contains("https://learn.microsoft.com/"),
        "{answers}"
    );
    let rows = between(section(clause, "libraries"), "<tr>", "</tr>");
    let order: Vec<_> = rows[1..]
        .iter()
        .map(|row| between(row, "-x86_64.html\">", ",")[0])
        .collect();
    assert_eq!(order, ["worse.so", "known.so", "lacks.so", "a.so"]);
    assert!(rows[2].contains("an old wrapper"), "{}", rows[2]);
    assert!(rows[2].contains("<a href=\"https://example.org/bugs/7\">"));
}

#[test]
fn a_clause_says_since_when_a_verdict_has_been_the_same() {
    let site = made(three());
    let clause = page(&site, &format!("clauses/{CLAUSE}.html"));
    let rows = between(section(clause, "libraries"), "<tr>", "</tr>");
    let worse = rows.iter().find(|it| it.contains("worse.so")).unwrap();
    let spans: Vec<_> = between(worse, "UTC</time>, ", "<").into_iter().collect();
    assert_eq!(spans, ["1 run", "2 runs"]);
    assert!(worse.contains("before: <span class=\"pass\">✓ pass</span> since "));
}

#[test]
fn a_missing_library_is_named_and_keeps_its_page() {
    let runs = three();
    let former: Index = made(runs.clone()).index;
    let mut all = runs;
    let mut fourth = run("2026-01-04T00:00:00Z", vec![named("a.so", pass())]);
    fourth.candidates.push(known());
    all.push(fourth);
    let site = site(all, Some(&former), &[]).unwrap();
    let index = page(&site, "index.html");
    let missing = section(index, "missing");
    assert!(
        missing.contains("libraries/worse.so-x86_64.html"),
        "{missing}"
    );
    assert_eq!(missing.matches("<li>").count(), 1);
    check_links(&site);
}

/// Names that are no names of files, and some that would be one file.
#[test]
fn hostile_names_stay_within_the_site() {
    let names = [
        "..", "../../x", "/", "a\0b", "A.so", "a.so", "x/..", "..\\..", "nul", "", "%2e%2e/x",
        "a b",
    ];
    let long = "n".repeat(1 << 16);
    let names = names.into_iter().chain([long.as_str()]);
    let mut all = run("1", names.map(|it| named(it, fail())).collect());
    for (index, id) in ["../x", "..", "a/b", "a-b", "A-b"].into_iter().enumerate() {
        let mut promise = all.clauses[0].clone();
        promise.id = id.into();
        all.clauses.push(promise);
        all.candidates[index].results[0].clause = id.into();
    }
    let site = made(vec![all]);
    for (path, _) in &site.files {
        let parts: Vec<_> = path.split('/').collect();
        assert!(parts.len() <= 2, "{path}");
        let is_plain =
            |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || "._-".contains(it);
        let all_plain = parts
            .iter()
            .all(|it| it.chars().all(is_plain) && !it.starts_with('.'));
        assert!(all_plain && path.len() < 150, "{path}");
    }
    check_links(&site);
}

#[test]
fn no_text_of_a_record_becomes_markup() {
    let mut run = every_kind();
    run.candidates.truncate(1);
    let count = |elements: &[&str]| {
        let names = elements.iter().map(|it| it.split(' ').next().unwrap());
        let loading = ["script", "style", "img", "title", "meta", "link"];
        names.filter(|it| loading.contains(it)).count()
    };
    let usual = made(vec![run.clone()]);
    let wanted = count(&elements(page(&usual, "index.html")));
    let before = run.clone();
    let mut runs = with_text_everywhere(&run, HOSTILE);
    runs.retain(|(pointer, _)| !pointer.contains("/cases/"));
    assert!(runs.len() > 40, "{}", runs.len());
    for (pointer, mut hostile) in runs {
        hostile.duration_ms += 1;
        let site = made(vec![before.clone(), hostile]);
        check_links(&site);
        for (path, text) in site
            .files
            .iter()
            .filter(|(path, _)| path.ends_with(".html"))
        {
            let is_clean = !text.contains(['\0', '\u{202e}', '\u{2066}', '\u{1b}']);
            assert!(is_clean, "{pointer}: {path}");
            let elements = elements(text);
            for element in &elements {
                let bad = ["onerror", "onmouseover", "src=", "javascript:"];
                let is_bad = bad.iter().any(|it| in_names(element, it));
                assert!(!is_bad, "{pointer}: {path}: {element}");
            }
            assert_eq!(count(&elements), wanted, "{pointer}: {path}");
        }
    }
}

#[test]
fn a_table_has_a_caption_and_its_headings_a_scope() {
    let mut runs = three();
    runs[2].candidates[0].results[0].verdict = Verdict::Crash;
    let site = made(runs);
    for (path, text) in site
        .files
        .iter()
        .filter(|(path, _)| path.ends_with(".html"))
    {
        for table in between(text, "<table", "</table>") {
            let inside = table.split_once('>').unwrap().1;
            assert!(inside.starts_with("<caption"), "{path}: {table}");
            assert!(!inside.contains("<caption></caption>"), "{path}");
            for head in between(inside, "<th", ">") {
                let is_scoped = head.contains("scope=\"") || head.starts_with("ead");
                assert!(is_scoped, "{path}: {head}");
            }
        }
    }
}
