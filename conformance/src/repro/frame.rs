//! The program around a body: the comment, the library's routines, the child process and
//! the report. `c/plain.c` and `c/wine.c` are its fixed parts.

use super::template::{find_word, words_after};
use super::{About, Body, Style, parts, routines};
use heapmin_harness::library::errno_names::Numbering;
use heapmin_harness::library::inspect::Format;
use heapmin_harness::library::profile::Source;
use heapmin_harness::library::routines::{is_beside_errno, names_of};
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::printable::on_one_line;
use std::fmt::Write;

const PLAIN: &str = include_str!("c/plain.c");
const WINE: &str = include_str!("c/wine.c");

/// The columns of the comment, and the seconds that the child may take.
const WIDTH: usize = 78;

/// The whole file.
///
/// # Errors
/// If the library has its heap in another one, so that its path does not suffice.
pub(super) fn file(
    body: &Body,
    about: &About,
    candidate: &Candidate,
    numbering: Numbering,
    style: Style,
) -> Result<String, InputError> {
    if let Some(heap) = &candidate.heap {
        let problem = format!(
            "the heap routines of {} are in {}, and a C file loads one library",
            candidate.name, heap.name
        );
        return Err(InputError::new(problem, "name that library instead"));
    }
    let helpers = parts::helpers(&body.code).concat();
    let code = format!("{helpers}{}", body.code.trim_start_matches('\n'));
    let code = match style {
        Style::Wine if about.is_todo => code.replace("    ok(", "    todo_wine ok("),
        _ => code,
    };
    let names = routines_of(&code);
    let library = Library::of(candidate, &names);
    let mut declarations = String::new();
    for name in ["LIBRARY_ENOMEM", "LIBRARY_EINVAL", "LIBRARY_ENOSYS"] {
        let constant = name.trim_start_matches("LIBRARY_");
        if find_word(&code, name).is_some()
            && let Some(number) = numbering.number(constant)
        {
            writeln!(declarations, "#define {name} {number}").expect("writing to a string");
        }
    }
    let types = names.iter().filter_map(|name| routines::declaration(name));
    let types: String = types
        .map(|(returns, rest)| format!("{returns}{rest}"))
        .collect();
    for (word, declaration) in TYPES {
        if find_word(&types, word).is_some() || find_word(&code, word).is_some() {
            declarations += declaration;
        }
    }
    for name in &names {
        let (returns, parameters) = routines::declaration(name).expect("it was found");
        let space = if returns.ends_with('*') { "" } else { " " };
        let convention = if style == Style::Wine { "__cdecl " } else { "" };
        writeln!(
            declarations,
            "static {returns}{space}({convention}*p_{name}){parameters};"
        )
        .expect("writing to a string");
    }
    let mut found = String::new();
    // Without a routine of its own, an ELF library has the host's errno.
    let has_errno = |name: &str| name == "_errno" && candidate.image.format != Format::Pe;
    for name in &names {
        let is_needed = !body.optional.contains(name) && !has_errno(name);
        found += &library.lookup(name, is_needed, style);
    }
    let (frame, comment) = match style {
        Style::Plain => (PLAIN, comment(about, candidate, &library)),
        Style::Wine => (WINE, comment(about, candidate, &library)),
    };
    let whole = format!("{code}{declarations}");
    let text = frame
        .replace("@includes@\n", &includes(&whole))
        .replace("@comment@", &comment)
        .replace("@declarations@\n", &declarations)
        .replace("@code@\n", &code)
        .replace("@lookups@\n", &found)
        .replace("@promise@", &in_string(&about.promise))
        .replace("@name@", &about.name)
        .replace("@library@", &in_string(&library.path));
    Ok(text)
}

/// Types that some routines have, with their declarations.
const TYPES: &[(&str, &str)] = &[
    (
        "heap_info",
        "struct heap_info { void *entry; size_t size; int in_use; };\n",
    ),
    ("new_handler", "typedef int (*new_handler)(size_t);\n"),
    (
        "parameter_handler",
        "typedef void (*parameter_handler)(const wchar_t *, const wchar_t *, const wchar_t *,\n                                  unsigned int, uintptr_t);\n",
    ),
];

/// The headers of C that a file needs.
fn includes(code: &str) -> String {
    let mut text = String::new();
    for (header, words) in HEADERS {
        let is_needed = words.is_empty() || words.iter().any(|it| find_word(code, it).is_some());
        if is_needed {
            writeln!(text, "#include <{header}.h>").expect("writing to a string");
        }
    }
    text
}

/// Headers, with the words for which a file needs them; a header without words is always
/// needed.
const HEADERS: &[(&str, &[&str])] = &[
    ("errno", &["errno", "EINVAL", "ENOMEM"]),
    ("stdarg", &[]),
    ("stdint", &["uintptr_t", "intptr_t", "SIZE_MAX", "uint32_t"]),
    ("stdio", &[]),
    ("stdlib", &[]),
    ("string", &["memset", "memcmp", "strcmp", "strncpy"]),
];

/// The routines that some code calls, in the order of their first use.
fn routines_of(code: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in words_after(code, "p_") {
        if routines::declaration(name).is_some() && !names.iter().any(|it| it == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// The library as the file loads it.
struct Library<'a> {
    candidate: &'a Candidate,
    path: String,
    /// Whether the file loads the library that an adapter of this program adapts.
    is_adapted: bool,
}

impl Library<'_> {
    fn of<'a>(candidate: &'a Candidate, names: &[String]) -> Library<'a> {
        let profile = candidate.profile.as_ref();
        let is_adapter = profile.is_some_and(|profile| profile.source == Source::Adapter);
        let needs = profile.and_then(|profile| profile.needs.as_ref());
        let needs = needs.filter(|_| is_adapter);
        let is_own = |name: &String| {
            matches!(
                &**name,
                "malloc" | "calloc" | "realloc" | "free" | "_errno" | "__doserrno"
            ) || name == "_set_invalid_parameter_handler"
                || profile.is_some_and(|profile| profile.names.contains_key(name))
        };
        let adapted = needs.filter(|_| names.iter().all(is_own));
        let file_name = || {
            let name = candidate.path.file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        };
        let path = match adapted {
            Some(needs) => needs.file.clone(),
            None if candidate.image.format == Format::Pe && candidate.runner.is_wine() => {
                file_name()
            }
            None => candidate.path.to_string_lossy().into_owned(),
        };
        Library {
            candidate,
            path,
            is_adapted: adapted.is_some(),
        }
    }

    /// The lines that look up a routine.
    fn lookup(&self, routine: &str, is_needed: bool, style: Style) -> String {
        let profile = self.candidate.profile.as_ref();
        let elsewhere = profile.and_then(|profile| profile.errno_library.as_deref());
        let other = self.candidate.other_name(routine);
        let calls = match (other, elsewhere) {
            (Some(other), _) if !other.file.is_empty() && !self.is_adapted => {
                let file = in_string(&other.file.to_string_lossy());
                vec![format!(
                    "FIND_IN(p_{routine}, \"{file}\", \"{}\")",
                    other.name
                )]
            }
            (Some(other), _) => vec![format!("FIND(p_{routine}, \"{}\")", other.name)],
            (None, Some(library)) if is_beside_errno(routine) => {
                let file = in_string(library);
                vec![format!("FIND_IN(p_{routine}, \"{file}\", \"{routine}\")")]
            }
            (None, _) => {
                let decorated =
                    |name: &str| name.contains("_K") == cfg!(target_pointer_width = "64");
                let names: Vec<_> = names_of(routine).collect();
                let is_taken =
                    |name: &&&str| !name.starts_with('?') || names.len() < 3 || decorated(name);
                let names = names.iter().filter(is_taken);
                names
                    .map(|name| format!("FIND(p_{routine}, \"{}\")", name.replace('?', "\\?")))
                    .collect()
            }
        };
        let none = calls
            .iter()
            .map(|call| format!("!{call}"))
            .collect::<Vec<_>>();
        let none = none.join(" && ");
        match (is_needed, style) {
            (false, _) if calls.len() == 1 => format!("    {};\n", calls[0]),
            (false, _) => format!("    if ({none}) p_{routine} = NULL;\n"),
            (true, Style::Plain) => format!("    if ({none}) return without(\"{routine}\");\n"),
            (true, Style::Wine) => format!(
                "    if ({none})\n    {{\n        win_skip(\"no {routine}\\n\");\n        return;\n    }}\n"
            ),
        }
    }
}

/// The comment at the top.
fn comment(about: &About, candidate: &Candidate, library: &Library) -> String {
    let mut paragraphs = vec![
        format!("heapmin repro: {}", about.subject),
        format!("Promised: {}.", about.promise),
    ];
    paragraphs.extend(about.pages.iter().cloned());
    if let Some(observed) = &about.observed {
        paragraphs.push(format!("Seen in {}: {observed}", candidate.name));
    }
    if candidate.stage.is_some() {
        paragraphs.push(format!(
            "Under Wine: put {} beside this program and set WINEDLLOVERRIDES={}=n.",
            library.path,
            library.path.trim_end_matches(".dll")
        ));
    }
    let mut text = String::new();
    for paragraph in paragraphs {
        for line in wrapped(&safe(&paragraph)) {
            writeln!(text, " * {line}").expect("writing to a string");
        }
    }
    text
}

/// The text without what would end a comment or begin another one.
fn safe(text: &str) -> String {
    let text = on_one_line(text);
    let text = text.replace("*/", "* /").replace("/*", "/ *");
    // A backslash at the end of a line would join the next one to it.
    text.trim_end_matches('\\').to_owned()
}

/// The text in lines of at most [`WIDTH`] columns, if its words permit.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH - 3 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The text inside a string literal.
fn in_string(text: &str) -> String {
    let mut shown = String::new();
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => {
                shown.push('\\');
                shown.push(byte.into());
            }
            b'?' => shown += "\\?",
            b' '..=b'~' => shown.push(byte.into()),
            // Three digits, so that a digit after them is not taken as part of it.
            _ => write!(shown, "\\{byte:03o}").expect("writing to a string"),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_end_a_string_or_a_comment() {
        assert_eq!(in_string("a\"b\\c\n1ü?"), "a\\\"b\\\\c\\0121\\303\\274\\?");
        assert_eq!(safe("x*/ int y; /*\n"), "x* / int y; / *\\n");
        assert_eq!(safe("ends in \\"), "ends in ");
    }

    #[test]
    fn a_long_comment_is_wrapped() {
        let lines = wrapped(&"word ".repeat(40));
        assert!(lines.len() > 1 && lines.iter().all(|line| line.len() < WIDTH));
    }
}
