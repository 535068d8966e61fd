//! Compares the number of lines of the heap with the table in docs/internals/reference.md.
//! Blank lines, comments and unit tests do not count.

use std::fs;
use std::path::{Path, PathBuf};

/// A part of the sources: its row in the table, and which files belong to it.
type Part = (&'static str, fn(&str) -> bool);

/// A file belongs to the first part that matches.
const PARTS: [Part; 6] = [
    ("the option that ends the process at misuse", |file| {
        file.starts_with("misuse/")
    }),
    (
        "looking at it: `_heapwalk`, `_heapchk`, `_heapset`",
        |file| ["entry.rs", "heapwalk.rs", "heapchk.rs", "heapset.rs"].contains(&file),
    ),
    ("what differs between Unix and Windows", |file| {
        file.starts_with("os/")
    }),
    ("the allocator of a Rust program", |file| {
        file == "global_alloc.rs"
    }),
    (
        "the C runtime's rules about parameters and `errno`",
        |file| file.starts_with("routines/") || file.starts_with("errno"),
    ),
    (
        "the heap itself: `malloc`, `free`, `realloc`, `_heapmin`",
        |_| true,
    ),
];

fn lines_of(file: &Path) -> usize {
    let text = fs::read_to_string(file).unwrap();
    let code = text.lines().map(str::trim);
    let code = code.take_while(|line| !line.starts_with("#[cfg(test)]"));
    code.filter(|line| !line.is_empty() && !line.starts_with("//"))
        .count()
}

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if !path.ends_with("tests.rs") {
            into.push(path);
        }
    }
}

#[test]
fn the_book_reports_the_number_of_lines_of_the_heap() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    let mut lines = [0; PARTS.len()];
    for file in &files {
        let name = file.strip_prefix(root.join("src")).unwrap();
        let name = name.to_str().unwrap().replace('\\', "/");
        let part = PARTS.iter().position(|(_, has)| has(&name)).unwrap();
        lines[part] += lines_of(file);
    }
    let rows = PARTS.iter().zip(lines).rev();
    let table: String = rows
        .map(|((part, _), lines)| format!("| {part} | {lines} |\n"))
        .collect();
    let book = fs::read_to_string(root.join("../docs/internals/reference.md")).unwrap();
    assert!(
        book.replace('\r', "").contains(&table),
        "docs/internals/reference.md should have these rows:\n{table}"
    );
}
