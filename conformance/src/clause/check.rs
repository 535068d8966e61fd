//! How a clause is judged: by what calls returned, by a count that must be 0, by
//! a function, and under a condition.

use super::{Judgement, Seen, Verdict};
use heapmin_harness::wire::observation::{Call, Event, HANDLER_SET, Kind};
use std::fmt;

/// One check of a clause.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    /// Every call of a routine ends as expected.
    EveryCall {
        /// Another routine than the clause's.
        of: Option<&'static str>,
        /// How each call ends.
        expected: Expectation,
    },
    /// The checks after this one are made only under a condition.
    OnlyIf {
        /// The condition, as it follows "if".
        condition: &'static str,
        /// What the clause gets if the condition does not hold.
        otherwise: fn(&Seen) -> Option<Judgement>,
    },
    /// The fact `what` is 0, out of the fact `of`.
    NoneOf {
        /// What is counted: bytes lost, blocks misaligned.
        what: &'static str,
        /// How many were looked at.
        of: &'static str,
    },
    /// What a function makes of the observation.
    By {
        /// What must be seen.
        expects: &'static str,
        /// Judges it.
        judge: fn(&Seen) -> Judgement,
    },
}

/// Every call of the clause's routine ends like this.
pub const fn every_call(expected: Expectation) -> Check {
    Check::EveryCall { of: None, expected }
}

/// Every call of this routine ends like this.
pub const fn every_call_of(routine: &'static str, expected: Expectation) -> Check {
    let of = Some(routine);
    Check::EveryCall { of, expected }
}

/// The checks after this one are made only if `condition` holds; `otherwise` returns
/// what the clause gets if it does not.
pub const fn only_if(condition: &'static str, otherwise: fn(&Seen) -> Option<Judgement>) -> Check {
    Check::OnlyIf {
        condition,
        otherwise,
    }
}

/// The case counted no `what` among the `of`, of which there was at least one.
pub const fn none_of(what: &'static str, of: &'static str) -> Check {
    Check::NoneOf { what, of }
}

/// What this function makes of the observation.
pub const fn by(expects: &'static str, judge: fn(&Seen) -> Judgement) -> Check {
    Check::By { expects, judge }
}

impl Check {
    /// Judges what was seen.
    pub fn judge(&self, seen: &Seen) -> Judgement {
        match self {
            Check::EveryCall { of, expected } => {
                expected.judge(seen, of.unwrap_or(seen.clause.routine))
            }
            Check::OnlyIf { otherwise, .. } => {
                otherwise(seen).unwrap_or_else(|| Judgement::pass("the condition holds"))
            }
            Check::NoneOf { what, of } => judge_none_of(seen, what, of),
            Check::By { judge, .. } => judge(seen),
        }
    }

    /// What must be seen; `routine` is the clause's.
    pub fn expects(&self, routine: &str) -> String {
        match self {
            Check::EveryCall { of, expected } => {
                format!("every call of {}: {}", of.unwrap_or(routine), expected)
            }
            Check::OnlyIf { condition, .. } => format!("if {condition}"),
            Check::NoneOf { what, of } => format!("{what}: 0; {of}: 1 or more"),
            Check::By { expects, .. } => (*expects).to_owned(),
        }
    }
}

/// How a call ends: what it returns, and what it does to `errno`.
#[derive(Clone, Copy, Debug)]
pub struct Expectation {
    /// Whether only calls that return a block are judged.
    pub only_blocks: bool,
    /// What the call returns; `None` for any value.
    pub returned: Option<Returned>,
    /// What the call does to `errno`; `None` if that does not matter.
    pub errno: Option<Errno>,
    /// Whether the call calls the invalid parameter handler.
    pub calls_handler: bool,
}

/// What a call returns.
#[derive(Clone, Copy, Debug)]
pub enum Returned {
    /// The null pointer.
    Null,
    /// A pointer to a block.
    Block,
    /// One of these numbers.
    OneOf(&'static [Code]),
}

/// What a call does to `errno`.
#[derive(Clone, Copy, Debug)]
pub enum Errno {
    /// It leaves `errno` and `_doserrno` as they were.
    Kept,
    /// It sets `errno` to this constant.
    Named(&'static str),
}

/// Any return value.
pub const ANY: Expectation = Expectation {
    only_blocks: false,
    returned: None,
    errno: None,
    calls_handler: false,
};

/// The null pointer.
pub const NULL: Expectation = Expectation {
    returned: Some(Returned::Null),
    ..ANY
};

/// A pointer to a block.
pub const BLOCK: Expectation = Expectation {
    returned: Some(Returned::Block),
    ..ANY
};

/// A number that a routine returns, with the name that its page gives it.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    name: Option<&'static str>,
    number: i64,
}

impl Code {
    /// A number with a name.
    pub const fn named(name: &'static str, number: i64) -> Code {
        let name = Some(name);
        Code { name, number }
    }

    /// A number without a name.
    pub const fn unnamed(number: i64) -> Code {
        Code { name: None, number }
    }

    /// The number.
    pub const fn number(self) -> i64 {
        self.number
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name {
            Some(name) => write!(f, "{name} ({})", self.number),
            None => write!(f, "{}", self.number),
        }
    }
}

/// One of these numbers.
pub const fn one_of(codes: &'static [Code]) -> Expectation {
    Expectation {
        returned: Some(Returned::OneOf(codes)),
        ..ANY
    }
}

impl Expectation {
    /// Only calls that return a block are judged.
    pub const fn where_a_block_is_returned(self) -> Expectation {
        Expectation {
            only_blocks: true,
            ..self
        }
    }

    /// The call sets `errno` to this constant.
    pub const fn sets_errno(self, name: &'static str) -> Expectation {
        let errno = Some(Errno::Named(name));
        Expectation { errno, ..self }
    }

    /// The call leaves `errno` and `_doserrno` as they were.
    pub const fn keeps_errno(self) -> Expectation {
        let errno = Some(Errno::Kept);
        Expectation { errno, ..self }
    }

    /// The call calls the invalid parameter handler.
    pub const fn calls_the_handler(self) -> Expectation {
        Expectation {
            calls_handler: true,
            ..self
        }
    }

    /// The first call of the routine that does not end like this, else the first call that
    /// is judged.
    pub fn first_wrong<'a>(self, seen: &Seen<'a>, routine: &'a str) -> Option<&'a Call> {
        let calls = seen.observation.calls(routine);
        let mut judged = calls.filter(|call| !(self.only_blocks && call.returned == 0));
        let first = judged.next()?;
        let is_wrong = |call: &&Call| !self.holds(seen, call);
        Some(first)
            .filter(is_wrong)
            .or(judged.find(is_wrong))
            .or(Some(first))
    }

    fn judge(self, seen: &Seen, routine: &str) -> Judgement {
        if self.calls_handler && seen.observation.fact(HANDLER_SET) != Some(1) {
            return seen.missing("_set_invalid_parameter_handler");
        }
        let mut count = 0;
        let mut last = String::new();
        for (index, event) in seen.observation.events.iter().enumerate() {
            let Event::Call(call) = event else { continue };
            if call.routine != routine {
                continue;
            }
            if self.only_blocks && call.returned == 0 {
                continue;
            }
            count += 1;
            if self.errno.is_some() && call.errno.is_none() {
                return Judgement::not_judged(NO_ERRNO);
            }
            last = self.describe(seen, call);
            if !self.holds(seen, call) {
                return Judgement {
                    hint: self.hint(seen, call),
                    ..Judgement::fail(last).at(index)
                };
            }
        }
        match count {
            0 if self.only_blocks => Judgement::not_judged("no call returned a block"),
            0 => Verdict::Error.because(format!("the case never called {routine}")),
            1 => Judgement::pass(last),
            _ => Judgement::pass(format!("as expected from all {count} calls; {last}")),
        }
    }

    /// Whether the call ends like this.
    pub fn holds(self, seen: &Seen, call: &Call) -> bool {
        let returned = self.returned.is_none_or(|wanted| match wanted {
            Returned::Null => call.kind == Kind::Pointer && call.returned == 0,
            Returned::Block => call.kind == Kind::Pointer && call.returned != 0,
            Returned::OneOf(codes) => codes.iter().any(|code| code.number == call.returned),
        });
        let errno = self.errno.is_none_or(|wanted| match wanted {
            Errno::Kept => {
                call.errno.is_some_and(|(before, after)| before == after)
                    && call.doserrno.is_none_or(|(before, after)| before == after)
            }
            Errno::Named(name) => call.errno.map(|(_, after)| after) == seen.numbering.number(name),
        });
        let handler = !self.calls_handler || call.handler_calls > 0;
        returned && errno && handler
    }

    /// As [`other_number`], for a call that is not as expected.
    fn hint(self, seen: &Seen, call: &Call) -> Option<String> {
        match (self.errno, call.errno) {
            (Some(Errno::Named(name)), Some((_, after))) => other_number(seen, name, after),
            _ => None,
        }
    }

    /// The call in words, with the errors that the check looks at.
    fn describe(self, seen: &Seen, call: &Call) -> String {
        let mut text = call.to_string();
        if let (Some(_), Some((before, after))) = (self.errno, call.errno) {
            let describe = |number| seen.numbering.describe(number);
            text += &match before == after {
                true => format!(", errno still {}", describe(after)),
                false => format!(", errno {}, before {}", describe(after), describe(before)),
            };
            if let Some((before, after)) = call.doserrno
                && before != after
                && matches!(self.errno, Some(Errno::Kept))
            {
                text += &format!(", _doserrno {after}");
            }
        }
        if self.calls_handler {
            text += match call.handler_calls {
                0 => ", handler not called",
                _ => ", handler called",
            };
        }
        text
    }
}

/// What may be meant if a call set `errno` to the number that the name has in the other
/// numbering: the commonest mistake of a library for Linux.
pub fn other_number(seen: &Seen, name: &str, after: i32) -> Option<String> {
    let (own, other) = (seen.numbering, seen.numbering.other());
    let number = other.number(name).filter(|number| *number == after)?;
    let expected = own.number(name).filter(|own| *own != number)?;
    Some(format!(
        "{number} is {} {name}; {} is {expected}: write `errno = \"{}\"` in a profile if {number} is meant",
        other.whose(),
        own.whose(),
        other.key(),
    ))
}

/// What must be seen of each call.
impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let returned = self.returned.map(|returned| match returned {
            Returned::Null => "NULL".to_owned(),
            Returned::Block => "a block".to_owned(),
            Returned::OneOf(codes) => {
                let codes: Vec<_> = codes.iter().map(Code::to_string).collect();
                codes.join(" or ")
            }
        });
        let errno = self.errno.map(|errno| match errno {
            Errno::Kept => "errno and _doserrno as before".to_owned(),
            Errno::Named(name) => format!("errno {name}"),
        });
        let handler = self.calls_handler;
        let handler = handler.then(|| "the invalid parameter handler called".to_owned());
        let parts: Vec<_> = [returned, errno, handler].into_iter().flatten().collect();
        f.write_str(&parts.join(", "))?;
        match self.only_blocks {
            true => f.write_str(", if it returns a block"),
            false => Ok(()),
        }
    }
}

/// Why `errno` is not judged.
pub const NO_ERRNO: &str = "cannot locate the library's errno";

/// Whether a fact with this name counts bytes that the caller had written and that changed.
fn is_data(what: &str) -> bool {
    what.starts_with("bytes") && what.contains("changed")
}

fn judge_none_of(seen: &Seen, what: &str, of: &str) -> Judgement {
    let (Some(count), Some(all @ 1..)) = (seen.observation.fact(what), seen.observation.fact(of))
    else {
        return Verdict::Error.because(format!("the case did not report {what:?} and {of:?}"));
    };
    let is_counted = |event: &Event| matches!(event, Event::Fact { name, .. } if name == what);
    Judgement {
        at: (seen.observation.events.iter().position(is_counted)).filter(|_| count != 0),
        loses_data: count != 0 && is_data(what),
        ..Judgement::pass_if(count == 0, format!("{what}: {count}; {of}: {all}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clauses;
    use crate::clauses::codes::{EINVAL, MINUS_ONE};
    use crate::forged::{call, fact, judged_by};
    use heapmin_harness::wire::observation::{Ending, Event};
    use rstest::rstest;

    /// What is made of these calls, with our handler set or not.
    fn judged(expected: Expectation, handler_set: i64, calls: &[Call]) -> (Verdict, String) {
        let calls = calls.iter().cloned().map(Event::Call);
        let events = [fact(HANDLER_SET, handler_set)].into_iter().chain(calls);
        let clause = clauses::all().next().expect("there are clauses");
        let Judgement {
            verdict, observed, ..
        } = judged_by(
            |seen| expected.judge(seen, "f"),
            clause,
            events.collect(),
            Ending::Done,
        );
        (verdict, observed)
    }

    fn null() -> Call {
        let kind = Kind::Pointer;
        Call { kind, ..call("f") }
    }

    fn block() -> Call {
        Call {
            returned: 1,
            ..null()
        }
    }

    fn number(returned: i64) -> Call {
        let kind = Kind::Number;
        Call {
            kind,
            returned,
            ..call("f")
        }
    }

    fn with_errno(call: Call, before: i32, after: i32) -> Call {
        let errno = Some((before, after));
        Call { errno, ..call }
    }

    fn with_doserrno(call: Call, before: u32, after: u32) -> Call {
        let doserrno = Some((before, after));
        Call { doserrno, ..call }
    }

    fn with_handler(call: Call, handler_calls: u32) -> Call {
        Call {
            handler_calls,
            ..call
        }
    }

    #[rstest]
    #[case::null(NULL, null(), Ok("f() returned NULL"))]
    #[case::no_null(NULL, block(), Err("f() returned a block"))]
    #[case::zero(NULL, number(0), Err("f() returned 0"))]
    #[case::block(BLOCK, block(), Ok("f() returned a block"))]
    #[case::no_block(BLOCK, null(), Err("f() returned NULL"))]
    #[case::one(BLOCK, number(1), Err("f() returned 1"))]
    #[case::listed(one_of(&[MINUS_ONE, EINVAL]), number(22), Ok("f() returned 22"))]
    #[case::not_listed(one_of(&[MINUS_ONE, EINVAL]), number(0), Err("f() returned 0"))]
    #[case::set(ANY.sets_errno("ENOMEM"), with_errno(null(), 0, 12), Ok("f() returned NULL, errno ENOMEM (12), before 0"))]
    #[case::set_before(ANY.sets_errno("ENOMEM"), with_errno(null(), 12, 12), Ok("f() returned NULL, errno still ENOMEM (12)"))]
    #[case::not_set(ANY.sets_errno("ENOMEM"), null(), Err("f() returned NULL, errno still 0"))]
    #[case::another(ANY.sets_errno("ENOMEM"), with_errno(null(), 12, 22), Err("f() returned NULL, errno EINVAL (22), before ENOMEM (12)"))]
    #[case::set_beside(ANY.sets_errno("ENOMEM"), with_doserrno(with_errno(null(), 0, 12), 0, 8), Ok("f() returned NULL, errno ENOMEM (12), before 0"))]
    #[case::kept(ANY.keeps_errno(), with_errno(null(), 77, 77), Ok("f() returned NULL, errno still 77"))]
    #[case::not_kept(ANY.keeps_errno(), with_errno(null(), 77, 0), Err("f() returned NULL, errno 0, before 77"))]
    #[case::not_kept_beside(ANY.keeps_errno(), with_doserrno(null(), 0, 8), Err("f() returned NULL, errno still 0, _doserrno 8"))]
    #[case::nothing_beside(ANY.keeps_errno(), Call { doserrno: None, ..null() }, Ok("f() returned NULL, errno still 0"))]
    #[case::called(ANY.calls_the_handler(), with_handler(null(), 1), Ok("f() returned NULL, handler called"))]
    #[case::not_called(ANY.calls_the_handler(), null(), Err("f() returned NULL, handler not called"))]
    #[case::both(NULL.sets_errno("EINVAL"), with_errno(null(), 0, 22), Ok("f() returned NULL, errno EINVAL (22), before 0"))]
    #[case::one_of_both(NULL.sets_errno("EINVAL"), with_errno(block(), 0, 22), Err("f() returned a block, errno EINVAL (22), before 0"))]
    #[case::handler_only(NULL.calls_the_handler(), with_handler(block(), 1), Err("f() returned a block, handler called"))]
    fn a_call_is_judged(
        #[case] every: Expectation,
        #[case] call: Call,
        #[case] expected: Result<&str, &str>,
    ) {
        let (verdict, observed) = match expected {
            Ok(observed) => (Verdict::Pass, observed),
            Err(observed) => (Verdict::Fail, observed),
        };
        let other = Call {
            routine: "g".into(),
            ..number(5)
        };
        assert_eq!(
            judged(every, 1, &[other, call]),
            (verdict, observed.to_owned())
        );
    }

    #[test]
    fn the_other_numbering_is_a_hint() {
        let clause = clauses::all().next().expect("there are clauses");
        let hint = |after| {
            let call = Event::Call(with_errno(null(), 0, after));
            let expected = ANY.sets_errno("ENOSYS");
            judged_by(
                |seen| expected.judge(seen, "f"),
                clause,
                vec![call],
                Ending::Done,
            )
            .hint
        };
        #[cfg(target_os = "linux")]
        assert_eq!(
            hint(38).as_deref(),
            Some(
                "38 is this system's ENOSYS; Microsoft's is 40: write `errno = \"host\"` in a profile if 38 is meant"
            )
        );
        assert_eq!(hint(40), None, "it is the number that the page means");
        assert_eq!(hint(22), None, "it is another error");
    }

    #[test]
    fn one_call_of_many_is_enough_to_fail() {
        let expected = NULL;
        let pass = "as expected from all 3 calls; f() returned NULL";
        assert_eq!(
            judged(expected, 1, &[null(), null(), null()]),
            (Verdict::Pass, pass.into())
        );
        assert_eq!(
            judged(expected, 1, &[null(), block(), null()]),
            (Verdict::Fail, "f() returned a block".into())
        );
    }

    #[test]
    fn calls_that_give_no_block_can_be_left_out() {
        let expected = ANY.where_a_block_is_returned().keeps_errno();
        let bad_null = with_errno(null(), 0, 12);
        assert_eq!(
            judged(expected, 1, &[bad_null.clone(), block()]),
            (Verdict::Pass, "f() returned a block, errno still 0".into())
        );
        assert_eq!(
            judged(expected, 1, &[bad_null]),
            (Verdict::Unsupported, "no call returned a block".into())
        );
    }

    #[test]
    fn what_cannot_be_seen_is_not_judged() {
        let never = "the case never called f".to_owned();
        assert_eq!(judged(ANY, 1, &[]), (Verdict::Error, never));
        let nowhere = Call {
            errno: None,
            ..null()
        };
        let unknown = NO_ERRNO.to_owned();
        assert_eq!(
            judged(ANY.keeps_errno(), 1, std::slice::from_ref(&nowhere)),
            (Verdict::Unsupported, unknown)
        );
        assert_eq!(judged(ANY, 1, &[nowhere]).0, Verdict::Pass);
        let unset = "the library does not export _set_invalid_parameter_handler".to_owned();
        let called = with_handler(null(), 1);
        assert_eq!(
            judged(ANY.calls_the_handler(), 0, &[called]),
            (Verdict::Unsupported, unset)
        );
    }

    #[rstest]
    #[case::none(Some(0), Some(5), Verdict::Pass, "bad: 0; all: 5")]
    #[case::one(Some(1), Some(5), Verdict::Fail, "bad: 1; all: 5")]
    #[case::nothing_looked_at(
        Some(0),
        Some(0),
        Verdict::Error,
        "the case did not report \"bad\" and \"all\""
    )]
    #[case::not_told(
        None,
        Some(5),
        Verdict::Error,
        "the case did not report \"bad\" and \"all\""
    )]
    #[case::not_told_of(
        Some(0),
        None,
        Verdict::Error,
        "the case did not report \"bad\" and \"all\""
    )]
    fn none_of_some_may_be_bad(
        #[case] bad: Option<i64>,
        #[case] all: Option<i64>,
        #[case] verdict: Verdict,
        #[case] observed: &str,
    ) {
        let facts = [("bad", bad), ("all", all)].into_iter();
        let events = facts.filter_map(|(name, value)| Some(fact(name, value?)));
        let clause = clauses::all().next().expect("there are clauses");
        let judgement = judged_by(
            |seen| none_of("bad", "all").judge(seen),
            clause,
            events.collect(),
            Ending::Done,
        );
        assert_eq!(
            (judgement.verdict, &*judgement.observed),
            (verdict, observed)
        );
    }
}
