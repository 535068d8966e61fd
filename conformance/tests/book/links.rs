//! Every link of the book, and of README.md and its neighbours, leads to a file, and to a heading
//! if it names one. SUMMARY.md has every page once.

use crate::pages;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Returns the text without blocks of code.
fn without_code(text: &str) -> String {
    let mut in_code = false;
    let lines = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !in_code && !fence
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the targets of the links of a page: `[text](target)`.
fn targets(text: &str) -> Vec<String> {
    let text = without_code(text);
    let links = text.split("](").skip(1);
    links
        .filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()))
        .filter(|target| !target.contains("://"))
        .collect()
}

/// Returns the anchors of a page. GitHub and mdBook make them in the same way: the letters,
/// digits, hyphens and underscores of a heading, with hyphens for spaces.
fn anchors(text: &str) -> HashSet<String> {
    let mut found = HashSet::new();
    for line in without_code(text).lines() {
        let heading = line.trim_start_matches('#');
        if heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        // Of a link in a heading, only the text counts.
        let mut words = String::new();
        for (number, part) in heading.trim().split("](").enumerate() {
            words += if number == 0 {
                part
            } else {
                part.split_once(')').map_or(part, |it| it.1)
            };
        }
        let kept = words.chars().filter_map(|it| match it {
            ' ' => Some('-'),
            '-' | '_' => Some(it),
            _ => it.is_alphanumeric().then(|| it.to_ascii_lowercase()),
        });
        let anchor: String = kept.collect();
        let mut name = anchor.clone();
        let mut number = 0;
        while !found.insert(name) {
            number += 1;
            name = format!("{anchor}-{number}");
        }
    }
    found
}

#[test]
fn every_link_leads_to_a_file_and_to_a_heading() {
    let root = std::fs::read_dir(pages::book().join("..")).expect("a folder");
    let beside = root.map(|entry| entry.expect("a readable folder").path());
    let mut files = pages::all();
    files.extend(beside.filter(|path| path.extension().is_some_and(|it| it == "md")));
    let (mut links, mut headings) = (0, 0);
    let mut broken = Vec::new();
    for file in files {
        let text = pages::read(&file);
        for target in targets(&text) {
            let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let to = if path.is_empty() {
                file.clone()
            } else {
                file.with_file_name(path)
            };
            links += 1;
            if !to.exists() {
                broken.push(format!("{}: no file {path}", file.display()));
            } else if !anchor.is_empty() && to.extension().is_some_and(|it| it == "md") {
                headings += 1;
                if !anchors(&pages::read(&to)).contains(anchor) {
                    broken.push(format!("{}: no heading for {target}", file.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(
        links > 200 && headings > 30,
        "only {links} links and {headings} headings found"
    );
}

#[test]
fn the_summary_has_every_page_once() {
    let summary = pages::book().join("SUMMARY.md");
    let listed: Vec<PathBuf> = targets(&pages::read(&summary))
        .iter()
        .map(|target| Path::new(target).to_path_buf())
        .collect();
    let mut wrong = Vec::new();
    for (number, page) in listed.iter().enumerate() {
        if listed[..number].contains(page) {
            wrong.push(format!(
                "docs/SUMMARY.md has {} twice: delete one line",
                page.display()
            ));
        }
        if !pages::book().join(page).exists() {
            wrong.push(format!(
                "docs/SUMMARY.md has {}, and there is no such page",
                page.display()
            ));
        }
    }
    for page in pages::all() {
        let inside = page
            .strip_prefix(pages::book())
            .expect("a page of the book");
        if page != summary && !listed.contains(&inside.to_path_buf()) {
            wrong.push(format!(
                "docs/SUMMARY.md does not have {}: add a line",
                inside.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_anchor_is_made_of_the_words_of_a_heading() {
    let found = anchors(
        "# `_heapmin`: when, and *why*\n\n## [Fence](fence.md), on\n\n## C\n## C\n```\n# no\n```\n",
    );
    for anchor in ["_heapmin-when-and-why", "fence-on", "c", "c-1"] {
        assert!(found.contains(anchor), "{anchor}: {found:?}");
    }
    assert_eq!(found.len(), 4);
}
