//! `heapmin site`: a static site of saved runs, and what it refuses.
#![cfg(target_os = "linux")]

mod program;

use heapmin_test_libraries::candidate;
use program::heapmin_in;
use rstest::rstest;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};
use tempfile::TempDir;

/// A library that keeps `heapmin.success-keeps-errno`, and one that breaks it.
const GOOD: &str = "returns_zero";
const BAD: &str = "sets_errno_on_success";
const ONLY: &str = "heapmin.success-*";

/// A folder with the runs `1.json`, `2.json` and `3.json`. `mine.so` breaks a clause in the last,
/// and `other.so` in each.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path();
    fs::copy(candidate(BAD), path.join("other.so")).expect("the folder can be written");
    for (run, mine) in [(1, GOOD), (2, GOOD), (3, BAD)] {
        fs::copy(candidate(mine), path.join("mine.so")).expect("the folder can be written");
        let mut check = vec!["check", "./mine.so", "./other.so", "--only", ONLY];
        let output = format!("{run}.json");
        check.extend(["--format", "json", "--output", &output]);
        assert_eq!(heapmin_in(path, &check).status.code(), Some(1));
        // All three runs would be of one second.
        let mut record: serde_json::Value =
            serde_json::from_str(&read(path.join(&output))).expect("a run is JSON");
        record["started"] = format!("2026-01-0{run}T00:00:00Z").into();
        fs::write(path.join(&output), record.to_string()).expect("the folder can be written");
    }
    folder
}

/// Makes a site, and checks the exit status. Returns what was said.
fn site(folder: &Path, arguments: &[&str], status: i32) -> String {
    let seen = heapmin_in(folder, &[&["site"], arguments].concat());
    let said = String::from_utf8_lossy(&seen.stderr).into_owned();
    assert_eq!(seen.status.code(), Some(status), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The pages that links from this page lead to, with those that they lead to.
fn follow(page: &Path, seen: &mut BTreeSet<PathBuf>) {
    if !seen.insert(page.to_owned()) || page.extension().is_none_or(|it| it != "html") {
        return;
    }
    let text = read(page);
    for part in text.split(" href=\"").skip(1) {
        let link = part.split('"').next().unwrap_or_default();
        let (file, id) = link.split_once('#').unwrap_or((link, ""));
        if link.starts_with("https://") {
            continue;
        }
        let target = match file {
            "" => page.to_owned(),
            _ => plain(&page.parent().expect("a page is in a folder").join(file)),
        };
        let of_target = read(&target);
        let is_there = id.is_empty() || of_target.contains(&format!(" id=\"{id}\""));
        assert!(is_there, "{}: {link}", page.display());
        follow(&target, seen);
    }
}

/// The path without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => assert!(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

/// The files of a folder and its folders.
fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|it| it.expect("it can be read").path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false => [path].into(),
        })
        .collect()
}

#[test]
fn a_site_of_three_runs_shows_the_new_failures_first_and_every_link_leads_to_a_page() {
    let folder = folder();
    let folder = folder.path();
    // The order of the arguments is not that of the runs.
    let said = site(folder, &["3.json", "1.json", "2.json"], 0);
    assert_eq!(said, "");
    let pages = folder.join("site");
    let mut seen = BTreeSet::new();
    follow(&pages.join("index.html"), &mut seen);
    let mut written = files(&pages);
    assert!(written.remove(&pages.join("heapmin-site.txt")));
    assert_eq!(seen, written, "links lead to every file");

    let index = read(pages.join("index.html"));
    let new = index.split("<section id=\"libraries\"").next().unwrap();
    assert!(new.contains("<h2 id=\"new-heading\">New failures ("));
    assert!(new.contains("mine.so"));
    assert!(!new.contains("other.so"), "it broke the clause before");
    let clause = read(pages.join("clauses/heapmin.success-keeps-errno.html"));
    assert!(clause.contains("✗ fail</span> since "));
    assert!(clause.contains("before: <span class=\"pass\">✓ pass</span>"));
    let library = read(pages.join("libraries/mine.so-x86_64.html"));
    assert!(library.contains("3 runs"));
    let json: serde_json::Value = serde_json::from_str(&read(pages.join("runs.json"))).unwrap();
    assert_eq!(json["runs"].as_array().unwrap().len(), 3);
}

#[test]
fn a_library_that_no_new_run_has_is_an_error_until_it_is_removed() {
    let folder = folder();
    let folder = folder.path();
    site(folder, &["1.json", "2.json"], 0);
    let check = [
        "check",
        "./mine.so",
        "--only",
        ONLY,
        "--report",
        "json=4.json",
    ];
    heapmin_in(folder, &check);
    let again = ["1.json", "2.json", "4.json", "--previous", "site"];
    let said = site(folder, &again, 1);
    assert!(said.contains("other.so, x86_64 is missing: "), "{said}");
    assert!(!said.contains("mine.so"), "{said}");
    // The site is written, and the error stays.
    let index = read(folder.join("site/index.html"));
    assert!(index.contains("Missing libraries (1)"));
    let from_file = ["4.json", "--previous", "site/runs.json", "--output", "next"];
    site(folder, &from_file, 1);
    let removed = [&again[..], &["--removed", "other.so"]].concat();
    assert_eq!(site(folder, &removed, 0), "");
    assert_eq!(site(folder, &again, 0), "", "it stays removed");
    let typo = [&again[..], &["--removed", "othre.so"]].concat();
    let said = site(folder, &typo, 2);
    assert!(said.contains("did you mean other.so?"), "{said}");
}

#[test]
fn the_pages_of_a_site_are_replaced_and_other_files_stay() {
    let folder = folder();
    let folder = folder.path();
    site(folder, &["1.json"], 0);
    let stale = folder.join("site/libraries/stale.html");
    let own = folder.join("site/CNAME");
    fs::write(&stale, "old").unwrap();
    fs::write(&own, "mine").unwrap();
    site(folder, &["1.json"], 0);
    assert!(!stale.exists());
    assert_eq!(read(own), "mine");
}

#[test]
fn a_folder_that_is_no_site_is_refused_and_not_changed() {
    let folder = folder();
    let folder = folder.path();
    let foreign = folder.join("foreign");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("index.html"), "mine").unwrap();
    let said = site(folder, &["1.json", "--output", "foreign"], 2);
    let problem = "--output foreign is not empty, and no site of heapmin; name another folder";
    assert!(said.contains(problem), "{said}");
    assert_eq!(read(foreign.join("index.html")), "mine");
    assert_eq!(files(&foreign).len(), 1);
    // A folder of the site that is a link to a folder of others.
    site(folder, &["1.json"], 0);
    fs::remove_dir_all(folder.join("site/libraries")).unwrap();
    std::os::unix::fs::symlink(&foreign, folder.join("site/libraries")).unwrap();
    let said = site(folder, &["1.json"], 2);
    assert!(said.contains("site/libraries is no folder"), "{said}");
    assert_eq!(read(foreign.join("index.html")), "mine");
}

#[rstest]
#[case::no_run(&["none.json"], "none.json cannot be read")]
#[case::no_report(&["text.json"], "text.json is no report of heapmin")]
#[case::no_former_site(&["1.json", "--previous", "none"], "none cannot be read")]
#[case::no_index(&["1.json", "--previous", "1.json"], "1.json is no index of a site")]
#[case::a_file(&["1.json", "--output", "1.json"], "--output 1.json cannot be read")]
#[case::removed_of_nothing(&["1.json", "--removed", "x"], "--previous")]
#[case::nothing(&[], "<RUN>")]
fn what_cannot_be_used_is_refused_with_its_name(#[case] arguments: &[&str], #[case] text: &str) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path();
    fs::copy(candidate(GOOD), path.join("mine.so")).expect("the folder can be written");
    let check = [
        "check",
        "./mine.so",
        "--only",
        ONLY,
        "--report",
        "json=1.json",
    ];
    heapmin_in(path, &check);
    fs::write(path.join("text.json"), "hello").unwrap();
    let said = site(path, arguments, 2);
    assert!(said.contains(text), "{said}");
    assert!(!path.join("site").exists(), "nothing is written");
}
