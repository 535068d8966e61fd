//! A sequence in a text file, for `--save` and `--replay`.

use super::Found;
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::suggest::path_or;
use heapmin_harness::text::text_file;
use heapmin_harness::wire::step::Step;
use std::fmt::Write;
use std::path::Path;

/// The first line of each such file.
const HEADER: &str = "# heapmin fuzz, version 1";

/// The text of a file with this sequence; `about` becomes comment lines.
pub fn text(found: &Found, about: &[String]) -> String {
    let mut text = format!("{HEADER}\n");
    for line in about {
        writeln!(text, "# {line}").expect("writing to a string");
    }
    for step in &found.steps {
        writeln!(text, "{step}").expect("writing to a string");
    }
    text
}

/// The sequence in this file.
///
/// # Errors
/// If the file cannot be read or a line is wrong; the message names the line.
pub fn read(path: &Path) -> Result<Vec<Step>, InputError> {
    let name = path.display();
    let text = text_file::read(path).map_err(|error| {
        let mend = path_or(path, "check the path");
        InputError::new(format!("{name} cannot be read: {error}"), mend)
    })?;
    parse(&name.to_string(), &text)
}

/// The sequence in the text of a file; `name` is the file's, for messages.
///
/// # Errors
/// If a line is wrong; the message names the line.
pub fn parse(name: &str, text: &str) -> Result<Vec<Step>, InputError> {
    let mend = "docs/guide/fuzz.md describes the format";
    let mut lines = text.lines().enumerate();
    if lines.next().is_none_or(|(_, line)| line.trim() != HEADER) {
        let problem = format!("{name} does not begin with the line \"{HEADER}\"");
        return Err(InputError::new(problem, mend));
    }
    let mut steps = Vec::new();
    for (index, line) in lines {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let at =
            |reason: String| InputError::new(format!("{name}, line {}: {reason}", index + 1), mend);
        let step: Step = line.parse().map_err(at)?;
        if !step.operation.keeps_its_slot() {
            return Err(at(
                "a resized block must stay in its slot, as in `a = realloc(a, 8)`".into(),
            ));
        }
        steps.push(step);
    }
    if steps.is_empty() {
        return Err(InputError::new(format!("{name} has no operation"), mend));
    }
    Ok(steps)
}
