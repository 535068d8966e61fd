//! Lines and words of a C text that depend on the clause and its routine.
//!
//! A line that begins with `@KEY` is kept only with that key, and one that begins with
//! `@!KEY` only without it. `@ONE|OTHER` needs one of several keys, `@ONE@OTHER` both. A macro `NAME(a, b)`
//! is replaced by its text, so that the file has the call itself.

use std::collections::BTreeSet;

/// A macro: its name, the names of its parameters, and its text.
#[derive(Clone, Debug)]
pub(super) struct Macro<'a> {
    name: &'a str,
    parameters: Vec<&'a str>,
    text: &'a str,
}

impl<'a> Macro<'a> {
    /// The macro that a line such as `RESIZE(block, size) p_realloc(block, size)` defines.
    pub(super) fn parse(line: &'a str) -> Macro<'a> {
        let (head, text) = line.split_once(' ').unwrap_or((line, ""));
        let (name, parameters) = match head.split_once('(') {
            Some((name, inside)) => {
                let inside = inside.trim_end_matches(')');
                (
                    name,
                    inside.split(',').filter(|it| !it.is_empty()).collect(),
                )
            }
            None => (head, Vec::new()),
        };
        Macro {
            name,
            parameters,
            text: text.trim(),
        }
    }
}

/// The text with only the lines that belong to these keys.
pub(super) fn keep(text: &str, keys: &BTreeSet<String>) -> String {
    let mut kept = String::new();
    for line in text.lines() {
        if let Some(line) = of_keys(line, keys) {
            kept += &line;
            kept.push('\n');
        }
    }
    kept
}

fn of_keys(line: &str, keys: &BTreeSet<String>) -> Option<String> {
    let code = line.trim_start();
    let indent = &line[..line.len() - code.len()];
    let Some(marked) = code.strip_prefix('@') else {
        return Some(line.to_owned());
    };
    let (wanted, code) = marked.split_once(' ').unwrap_or((marked, ""));
    let holds = |key: &str| match key.strip_prefix('!') {
        Some(key) => !keys.contains(key),
        None => keys.contains(key),
    };
    let is_kept = wanted.split('@').all(|one| one.split('|').any(holds));
    is_kept.then(|| format!("{indent}{code}"))
}

/// The text with every macro replaced. Arguments may have macros.
pub(super) fn expand(text: &str, macros: &[Macro]) -> String {
    let mut text = text.to_owned();
    for one in macros {
        text = expand_one(&text, one);
    }
    text
}

fn expand_one(text: &str, one: &Macro) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some(at) = find_word(rest, one.name) {
        let after = &rest[at + one.name.len()..];
        let (arguments, length) = match one.parameters.is_empty() && !after.starts_with("()") {
            true => (Vec::new(), 0),
            false => arguments(after),
        };
        expanded += &rest[..at];
        let arguments: Vec<String> = arguments.iter().map(|it| expand_one(it, one)).collect();
        expanded += &with_arguments(one, &arguments);
        rest = &after[length..];
    }
    expanded + rest
}

fn with_arguments(one: &Macro, arguments: &[String]) -> String {
    let mut text = String::new();
    let mut rest = one.text;
    while let Some(start) = rest.find(is_of_word) {
        let end = rest[start..]
            .find(|c| !is_of_word(c))
            .map_or(rest.len(), |it| start + it);
        let word = &rest[start..end];
        let place = one.parameters.iter().position(|it| *it == word);
        text += &rest[..start];
        text += place
            .and_then(|place| arguments.get(place))
            .map_or(word, |it| it);
        rest = &rest[end..];
    }
    text + rest
}

fn is_of_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// The place of a whole word.
pub(super) fn find_word(text: &str, word: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = text[from..].find(word) {
        let at = from + found;
        let end = at + word.len();
        let is_whole = !text[..at].ends_with(is_of_word) && !text[end..].starts_with(is_of_word);
        if is_whole {
            return Some(at);
        }
        from = end;
    }
    None
}

/// The words of a text that begin with this prefix, without it.
pub(super) fn words_after<'a>(text: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    let words = text.split(|c| !is_of_word(c));
    words.filter_map(move |word| word.strip_prefix(prefix))
}

/// The arguments in the parentheses at the start of the text, and their length.
fn arguments(text: &str) -> (Vec<String>, usize) {
    let mut found = vec![String::new()];
    let mut depth = 0;
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 1 => {
                found.push(String::new());
                continue;
            }
            _ => {}
        }
        match (depth, character) {
            (0, ')') => {
                let found = found.iter().map(|it| it.trim().to_owned());
                return (found.collect(), at + 1);
            }
            (1, '(') => {}
            _ => found.last_mut().expect("there is one").push(character),
        }
    }
    (Vec::new(), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_kept_by_key() {
        let keys = BTreeSet::from(["zero".to_owned()]);
        let text = "a\n    @zero b\n@other c\n@!zero d\n@!other e\n@other|zero f\n@zero@other g\n";
        assert_eq!(keep(text, &keys), "a\n    b\ne\nf\n");
    }

    #[test]
    fn a_macro_is_replaced_with_its_arguments() {
        let resize = Macro::parse("RESIZE(block,size) p_realloc(block, size)");
        let expanded = expand("x = RESIZE(live[f(1, 2)], size / 2); RESIZED", &[resize]);
        assert_eq!(expanded, "x = p_realloc(live[f(1, 2)], size / 2); RESIZED");
        let name = Macro::parse("NAME realloc");
        assert_eq!(expand("\"NAME(\" NAMES", &[name]), "\"realloc(\" NAMES");
    }
}
