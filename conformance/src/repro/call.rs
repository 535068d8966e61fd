//! The body of a file that repeats one call, with the check that follows from the clause.

use super::Body;
use super::template::words_after;
use crate::clause::Seen;
use crate::clause::check::{Check, Errno, Expectation, Returned};
use heapmin_harness::wire::observation::{Call, Ending, HANDLER_SET, Kind};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The body for the call that deviates, and whether there is one; else the body for the first
/// call that was judged. A library that crashed or hung did so in the call that the last step
/// names.
pub(super) fn body(seen: &Seen) -> Option<(Body, bool)> {
    let checks = seen.clause.checks.iter().filter_map(|check| match check {
        Check::EveryCall { of, expected } => Some((*expected, of.unwrap_or(seen.clause.routine))),
        _ => None,
    });
    let checks: Vec<_> = checks.collect();
    let calls = checks.iter().filter_map(|(expected, routine)| {
        let call = expected.first_wrong(seen, routine)?;
        Some((*expected, call.clone()))
    });
    let calls: Vec<(Expectation, Call)> = calls.collect();
    let is_wrong = |(expected, call): &&(Expectation, Call)| !expected.holds(seen, call);
    let ended = checks.first().and_then(|(expected, routine)| {
        let call = call_in_which_it_ended(seen, routine)?;
        Some((*expected, call))
    });
    // A wrong call may be the reason for a later crash.
    let wrong = calls.iter().find(is_wrong).or(ended.as_ref());
    let (expected, call) = wrong.or(calls.first())?;
    let body = Body {
        code: code(seen, *expected, call)?,
        optional: BTreeSet::from(["_set_invalid_parameter_handler".to_owned()]),
    };
    Some((body, wrong.is_some()))
}

/// The call in which the process ended, if the last step is a call of the routine.
fn call_in_which_it_ended(seen: &Seen, routine: &str) -> Option<Call> {
    if !matches!(seen.observation.ending, Ending::Died(_) | Ending::TimedOut) {
        return None;
    }
    let step = seen.observation.last_step()?;
    let inside = step
        .strip_prefix(routine)?
        .strip_prefix('(')?
        .strip_suffix(')')?;
    let (returns, _) = super::routines::declaration(routine)?;
    let kind = match returns {
        "void" => Kind::Nothing,
        "size_t" => Kind::Size,
        returns if returns.ends_with('*') => Kind::Pointer,
        _ => Kind::Number,
    };
    Some(Call {
        routine: routine.to_owned(),
        arguments: inside.to_owned(),
        kind,
        returned: 0,
        errno: Some((77, 77)),
        doserrno: None,
        last_error_before: 0,
        handler_calls: 0,
        refusals: None,
    })
}

fn code(seen: &Seen, expected: Expectation, call: &Call) -> Option<String> {
    let prepared = Prepared::of(&call.routine, &call.arguments)?;
    let mut lines = prepared.lines;
    let called = format!("p_{}({})", call.routine, prepared.arguments.join(", "));
    let shown = format!("{}({})", call.routine, call.arguments);
    let has_handler = seen.observation.fact(HANDLER_SET) == Some(1);
    let mut conditions = Vec::new();
    let (mut format, mut values) = (String::new(), String::new());
    if has_handler && expected.calls_handler {
        lines.push("p__set_invalid_parameter_handler(count_parameter_call);".into());
    } else if has_handler {
        // Without a handler some libraries end the process.
        lines.push("if (p__set_invalid_parameter_handler)".into());
        lines.push("    p__set_invalid_parameter_handler(count_parameter_call);".into());
    }
    let errno = expected.errno.and(call.errno);
    if let Some((before, _)) = errno {
        lines.push(format!("ERRNO = {before};"));
    }
    let keeps = matches!(expected.errno, Some(Errno::Kept));
    let doserrno = call.doserrno.filter(|_| keeps);
    if let Some((before, _)) = doserrno {
        lines.push(format!("DOSERRNO = {before};"));
    }
    let (declared, cast, conversion) = match call.kind {
        Kind::Nothing => ("", "", ""),
        Kind::Number => ("int returned = ", "", "%d"),
        Kind::Size => ("size_t returned = ", "(long)", "%ld"),
        Kind::Pointer => ("void *returned = ", "", "%p"),
    };
    lines.push(format!("{declared}{called};"));
    if call.kind != Kind::Nothing {
        format += &format!(" returned {conversion}");
        values += &format!(", {cast}returned");
    }
    match expected.returned {
        None => {}
        Some(Returned::Null) => conditions.push("returned == NULL".to_owned()),
        Some(Returned::Block) => conditions.push("returned != NULL".to_owned()),
        Some(Returned::OneOf(codes)) => {
            let cast = if call.kind == Kind::Size {
                "(size_t)"
            } else {
                ""
            };
            let any = codes
                .iter()
                .map(|code| format!("returned == {cast}{}", code.number()));
            let any = any.collect::<Vec<_>>().join(" || ");
            conditions.push(if codes.len() > 1 {
                format!("({any})")
            } else {
                any
            });
        }
    }
    if let Some((before, _)) = errno {
        // Another call, such as that of `ok`, may set it.
        lines.push("int error = ERRNO;".into());
        conditions.push(match expected.errno {
            Some(Errno::Named(name)) => format!("error == LIBRARY_{name}"),
            _ => format!("error == {before}"),
        });
        format += ", errno %d";
        values += ", error";
    }
    if let Some((before, _)) = doserrno {
        conditions.push(format!("DOSERRNO == {before}"));
        format += ", _doserrno %u";
        values += ", DOSERRNO";
    }
    if expected.calls_handler {
        conditions.push("parameter_calls > 0".to_owned());
        format += ", %d calls of the handler";
        values += ", parameter_calls";
    }
    if expected.only_blocks {
        lines.push("if (!returned) return;".into());
    }
    let condition = match conditions.is_empty() {
        true => "1".to_owned(),
        false => conditions.join(" && "),
    };
    lines.push(format!("ok({condition},"));
    lines.push(format!("   \"{shown}{format}\\n\"{values});"));
    let mut code = String::from("static void test(void)\n{\n");
    for line in lines {
        writeln!(code, "    {line}").expect("writing to a string");
    }
    code += "}\n";
    let is_known = |routine| super::routines::declaration(routine).is_some();
    let can_be_called = words_after(&code, "p_").all(is_known);
    can_be_called.then_some(code)
}

/// The arguments of a call in C, with the lines that make its block.
struct Prepared {
    lines: Vec<String>,
    arguments: Vec<String>,
}

impl Prepared {
    fn of(routine: &str, text: &str) -> Option<Prepared> {
        let words: Vec<&str> = match text {
            "" => Vec::new(),
            text => text.split(", ").collect(),
        };
        let mut lines = Vec::new();
        let mut arguments = Vec::new();
        for word in &words {
            arguments.push(match *word {
                "&value" => {
                    let kind = if routine.contains("doserrno") {
                        "unsigned long"
                    } else {
                        "int"
                    };
                    lines.push(format!("{kind} value;"));
                    "&value".to_owned()
                }
                word if word.starts_with("block") => {
                    lines.extend(block(routine, word, &words[1..])?);
                    "block".to_owned()
                }
                "NULL" => "NULL".to_owned(),
                word => number(word)?,
            });
        }
        Some(Prepared { lines, arguments })
    }
}

/// A number as C writes it.
fn number(word: &str) -> Option<String> {
    let digits = word.strip_prefix("0x");
    let value = match digits {
        Some(digits) => u64::from_str_radix(digits, 16).ok()? as i128,
        None => word.parse().ok()?,
    };
    Some(match value {
        // The least number has no literal of its own.
        -2_147_483_648 => "-2147483647 - 1".to_owned(),
        _ => word.to_owned(),
    })
}

/// The lines that make the block of a call: `block`, `block of 24`, or `block of 24 aligned
/// to 64`. `rest` are the call's other arguments.
fn block(routine: &str, word: &str, rest: &[&str]) -> Option<Vec<String>> {
    const SIZE: &str = "100";
    let mut size = word.strip_prefix("block of ").unwrap_or(SIZE);
    let mut alignment = None;
    if let Some((first, second)) = size.split_once(" aligned to ") {
        (size, alignment) = (first, Some(second));
    }
    if !routine.starts_with("_aligned") {
        return Some(made(&format!("p_malloc({size})"), size));
    }
    // Where each routine of the family has its alignment and its offset.
    let places = match routine {
        "_aligned_realloc" => (Some(1), None),
        "_aligned_offset_realloc" => (Some(1), Some(2)),
        "_aligned_recalloc" => (Some(2), None),
        "_aligned_offset_recalloc" => (Some(2), Some(3)),
        "_aligned_msize" => (Some(0), Some(1)),
        _ => (None, None),
    };
    let value = |place: Option<usize>| {
        let word = rest.get(place?)?;
        let digits = word.strip_prefix("0x");
        digits.map_or_else(|| word.parse().ok(), |it| u64::from_str_radix(it, 16).ok())
    };
    let wanted = alignment.and_then(|it| it.parse().ok()).or(value(places.0));
    // With a wrong alignment the block of the case is aligned to 8 bytes.
    let wanted = wanted.filter(|it: &u64| it.is_power_of_two()).unwrap_or(8);
    let call = match value(places.1).filter(|offset| *offset > 0 && *offset < 100) {
        Some(offset) => format!("p__aligned_offset_malloc({size}, {wanted}, {offset})"),
        None => format!("p__aligned_malloc({size}, {wanted})"),
    };
    Some(made(&call, size))
}

fn made(call: &str, size: &str) -> Vec<String> {
    vec![
        format!("void *block = {call};"),
        "if (!block) {".to_owned(),
        format!("    skip(\"no block of {size} bytes\\n\");"),
        "    return;".to_owned(),
        "}".to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_written_in_c() {
        let prepared = Prepared::of("_aligned_realloc", "block, 0xffffffffffffffe1, 64").unwrap();
        assert_eq!(prepared.arguments, ["block", "0xffffffffffffffe1", "64"]);
        assert_eq!(
            prepared.lines[0],
            "void *block = p__aligned_malloc(100, 64);"
        );
        let prepared = Prepared::of("_recalloc", "block of 24, 2, 8").unwrap();
        assert_eq!(prepared.lines[0], "void *block = p_malloc(24);");
        assert!(Prepared::of("_heapwalk", "middle of a block").is_none());
    }
}
