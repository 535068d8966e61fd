//! What the calls of a case should have come to: NULL with `ENOMEM`, a block
//! and `errno` kept, and so on.

use crate::clause::{Judgement, Seen, Verdict};
use heapmin_harness::wire::observation::HANDLER_SET;
use heapmin_harness::wire::observation::{Call, Kind};

/// What every call of a routine should come to.
#[derive(Clone, Copy, Debug)]
pub struct Every {
    routine: &'static str,
    only_blocks: bool,
    returned: Option<Returned>,
    errno: Option<Errno>,
    handler: Option<bool>,
}

#[derive(Clone, Copy, Debug)]
enum Returned {
    Null,
    Block,
    OneOf(&'static [i64]),
}

#[derive(Clone, Copy, Debug)]
enum Errno {
    Kept,
    Named(&'static str),
}

/// Every call of this routine. Nothing is asked of it yet.
pub const fn every(routine: &'static str) -> Every {
    Every {
        routine,
        only_blocks: false,
        returned: None,
        errno: None,
        handler: None,
    }
}

impl Every {
    /// Only those calls that return a block are looked at.
    pub const fn that_gives_a_block(self) -> Every {
        Every {
            only_blocks: true,
            ..self
        }
    }

    /// Returns NULL.
    pub const fn gives_null(self) -> Every {
        let returned = Some(Returned::Null);
        Every { returned, ..self }
    }

    /// Returns a block.
    pub const fn gives_a_block(self) -> Every {
        let returned = Some(Returned::Block);
        Every { returned, ..self }
    }

    /// Returns one of these numbers.
    pub const fn returns(self, numbers: &'static [i64]) -> Every {
        let returned = Some(Returned::OneOf(numbers));
        Every { returned, ..self }
    }

    /// Sets `errno` to this constant.
    pub const fn sets_errno(self, name: &'static str) -> Every {
        let errno = Some(Errno::Named(name));
        Every { errno, ..self }
    }

    /// Leaves `errno` and `_doserrno` as they were.
    pub const fn keeps_errno(self) -> Every {
        let errno = Some(Errno::Kept);
        Every { errno, ..self }
    }

    /// Calls the invalid parameter handler.
    pub const fn calls_the_handler(self) -> Every {
        let handler = Some(true);
        Every { handler, ..self }
    }

    /// Judges the calls of a case.
    pub fn judge(self, seen: &Seen) -> Judgement {
        if self.handler.is_some() && seen.observation.fact(HANDLER_SET) != Some(1) {
            let why = "the library does not export _set_invalid_parameter_handler";
            return Judgement::unsupported(why);
        }
        let mut count = 0;
        let mut last = String::new();
        for call in seen.observation.calls(self.routine) {
            if self.only_blocks && call.returned == 0 {
                continue;
            }
            count += 1;
            if self.errno.is_some() && call.errno.is_none() {
                return Judgement::unsupported("nobody knows where the library keeps errno");
            }
            last = self.describe(seen, call);
            if !self.holds(seen, call) {
                return Judgement::fail(last);
            }
        }
        match count {
            0 if self.only_blocks => Judgement::unsupported("no call gave a block"),
            0 => Verdict::Error.because(format!("the case never called {}", self.routine)),
            1 => Judgement::pass(last),
            _ => Judgement::pass(format!("as expected from all {count} calls; {last}")),
        }
    }

    fn holds(self, seen: &Seen, call: &Call) -> bool {
        let returned = self.returned.is_none_or(|wanted| match wanted {
            Returned::Null => call.kind == Kind::Pointer && call.returned == 0,
            Returned::Block => call.kind == Kind::Pointer && call.returned != 0,
            Returned::OneOf(numbers) => numbers.contains(&call.returned),
        });
        let errno = self.errno.is_none_or(|wanted| match wanted {
            Errno::Kept => {
                call.errno.is_some_and(|(before, after)| before == after)
                    && call.doserrno.is_none_or(|(before, after)| before == after)
            }
            Errno::Named(name) => call.errno.map(|(_, after)| after) == seen.numbering.number(name),
        });
        let handler = self
            .handler
            .is_none_or(|wanted| wanted == (call.handler_calls > 0));
        returned && errno && handler
    }

    /// The call in words, with as much of its errors as is asked for.
    fn describe(self, seen: &Seen, call: &Call) -> String {
        let mut text = call.to_string();
        if let (Some(_), Some((before, after))) = (self.errno, call.errno) {
            if before == after {
                text += ", errno as before";
            } else {
                text += &format!(", errno {}", seen.numbering.describe(after));
            }
            if let Some((before, after)) = call.doserrno
                && before != after
                && matches!(self.errno, Some(Errno::Kept))
            {
                text += &format!(", _doserrno {after}");
            }
        }
        if self.handler.is_some() {
            text += match call.handler_calls {
                0 => ", handler not called",
                _ => ", handler called",
            };
        }
        text
    }
}

/// Judges by a fact that should be zero: bytes lost, blocks misaligned.
/// `what` names it; `of` is a fact that says how many were looked at.
pub fn none_of(seen: &Seen, what: &str, of: &str) -> Judgement {
    let (Some(count), Some(all @ 1..)) = (seen.observation.fact(what), seen.observation.fact(of))
    else {
        return Verdict::Error.because(format!("the case did not report {what:?} and {of:?}"));
    };
    Judgement::pass_if(count == 0, format!("{what}: {count}; {of}: {all}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clauses;
    use crate::forged::{call, fact, judged_by};
    use heapmin_harness::wire::observation::{Ending, Event};
    use rstest::rstest;

    /// What is made of these calls, with our handler set or not.
    fn judged(every: Every, handler_set: i64, calls: &[Call]) -> (Verdict, String) {
        let calls = calls.iter().cloned().map(Event::Call);
        let events = [fact(HANDLER_SET, handler_set)].into_iter().chain(calls);
        let clause = clauses::all().next().expect("there are clauses");
        let Judgement {
            verdict, observed, ..
        } = judged_by(
            |seen| every.judge(seen),
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
    #[case::null(every("f").gives_null(), null(), Ok("f() returned NULL"))]
    #[case::no_null(every("f").gives_null(), block(), Err("f() returned a block"))]
    #[case::zero(every("f").gives_null(), number(0), Err("f() returned 0"))]
    #[case::block(every("f").gives_a_block(), block(), Ok("f() returned a block"))]
    #[case::no_block(every("f").gives_a_block(), null(), Err("f() returned NULL"))]
    #[case::one(every("f").gives_a_block(), number(1), Err("f() returned 1"))]
    #[case::listed(every("f").returns(&[-1, 22]), number(22), Ok("f() returned 22"))]
    #[case::not_listed(every("f").returns(&[-1, 22]), number(0), Err("f() returned 0"))]
    #[case::set(every("f").sets_errno("ENOMEM"), with_errno(null(), 0, 12), Ok("f() returned NULL, errno ENOMEM (12)"))]
    #[case::set_before(every("f").sets_errno("ENOMEM"), with_errno(null(), 12, 12), Ok("f() returned NULL, errno as before"))]
    #[case::not_set(every("f").sets_errno("ENOMEM"), null(), Err("f() returned NULL, errno as before"))]
    #[case::another(every("f").sets_errno("ENOMEM"), with_errno(null(), 12, 22), Err("f() returned NULL, errno EINVAL (22)"))]
    #[case::set_beside(every("f").sets_errno("ENOMEM"), with_doserrno(with_errno(null(), 0, 12), 0, 8), Ok("f() returned NULL, errno ENOMEM (12)"))]
    #[case::kept(every("f").keeps_errno(), with_errno(null(), 77, 77), Ok("f() returned NULL, errno as before"))]
    #[case::not_kept(every("f").keeps_errno(), with_errno(null(), 77, 0), Err("f() returned NULL, errno 0"))]
    #[case::not_kept_beside(every("f").keeps_errno(), with_doserrno(null(), 0, 8), Err("f() returned NULL, errno as before, _doserrno 8"))]
    #[case::nothing_beside(every("f").keeps_errno(), Call { doserrno: None, ..null() }, Ok("f() returned NULL, errno as before"))]
    #[case::called(every("f").calls_the_handler(), with_handler(null(), 1), Ok("f() returned NULL, handler called"))]
    #[case::not_called(every("f").calls_the_handler(), null(), Err("f() returned NULL, handler not called"))]
    #[case::both(every("f").gives_null().sets_errno("EINVAL"), with_errno(null(), 0, 22), Ok("f() returned NULL, errno EINVAL (22)"))]
    #[case::one_of_both(every("f").gives_null().sets_errno("EINVAL"), with_errno(block(), 0, 22), Err("f() returned a block, errno EINVAL (22)"))]
    #[case::handler_only(every("f").gives_null().calls_the_handler(), with_handler(block(), 1), Err("f() returned a block, handler called"))]
    fn a_call_is_judged(
        #[case] every: Every,
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
    fn one_call_of_many_is_enough_to_fail() {
        let every = every("f").gives_null();
        let pass = "as expected from all 3 calls; f() returned NULL";
        assert_eq!(
            judged(every, 1, &[null(), null(), null()]),
            (Verdict::Pass, pass.into())
        );
        assert_eq!(
            judged(every, 1, &[null(), block(), null()]),
            (Verdict::Fail, "f() returned a block".into())
        );
    }

    #[test]
    fn calls_that_give_no_block_can_be_left_out() {
        let every = every("f").that_gives_a_block().keeps_errno();
        let bad_null = with_errno(null(), 0, 12);
        assert_eq!(
            judged(every, 1, &[bad_null.clone(), block()]),
            (
                Verdict::Pass,
                "f() returned a block, errno as before".into()
            )
        );
        assert_eq!(
            judged(every, 1, &[bad_null]),
            (Verdict::Unsupported, "no call gave a block".into())
        );
    }

    #[test]
    fn what_cannot_be_seen_is_not_judged() {
        let never = "the case never called f".to_owned();
        assert_eq!(judged(every("f"), 1, &[]), (Verdict::Error, never));
        let nowhere = Call {
            errno: None,
            ..null()
        };
        let unknown = "nobody knows where the library keeps errno".to_owned();
        assert_eq!(
            judged(every("f").keeps_errno(), 1, std::slice::from_ref(&nowhere)),
            (Verdict::Unsupported, unknown)
        );
        assert_eq!(judged(every("f"), 1, &[nowhere]).0, Verdict::Pass);
        let unset = "the library does not export _set_invalid_parameter_handler".to_owned();
        let called = with_handler(null(), 1);
        assert_eq!(
            judged(every("f").calls_the_handler(), 0, &[called]),
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
            |seen| none_of(seen, "bad", "all"),
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
