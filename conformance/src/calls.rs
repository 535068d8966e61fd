//! What the calls of a case should have come to: NULL with `ENOMEM`, a block
//! and `errno` kept, and so on.

use crate::clause::{Judgement, Seen, Verdict};
use heapmin_harness::observation::{Call, Kind};
use heapmin_harness::probe::HANDLER_SET;

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
