//! How binding a clause is, and what came of judging it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How binding a clause is, the most binding first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// A library must keep it: the page states it, or it follows from the page.
    Must,
    /// It serves the purpose of the page. A good library keeps it.
    Should,
    /// It is observed and never judged.
    Record,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Must => "must",
            Level::Should => "should",
            Level::Record => "record",
        })
    }
}

/// What came of judging a clause. Where a clause has several cases, the
/// greatest of their verdicts counts.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing was judged; a [`Reason`] says whether there was anything to judge.
    Unsupported,
    /// The promise was kept; for a clause of level `record`, it was observed.
    Pass,
    /// The promise was broken.
    Fail,
    /// The probe died while the clause was being checked.
    Crash,
    /// The time limit ran out while the clause was being checked.
    Timeout,
    /// The candidate could not be observed.
    Error,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Verdict; 6] = [
        Verdict::Pass,
        Verdict::Fail,
        Verdict::Unsupported,
        Verdict::Crash,
        Verdict::Timeout,
        Verdict::Error,
    ];

    /// Its name, as reports and profiles write it.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Unsupported => "unsupported",
            Verdict::Crash => "crash",
            Verdict::Timeout => "timeout",
            Verdict::Error => "error",
        }
    }

    /// Whether it says something about the library.
    pub fn is_judged(self) -> bool {
        !matches!(self, Verdict::Unsupported | Verdict::Error)
    }

    /// Whether it must be listed as a known deviation to be let through.
    pub fn is_deviation(self) -> bool {
        !matches!(self, Verdict::Pass | Verdict::Unsupported)
    }
}

/// Why a clause is unsupported.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The page or the profile says that there is nothing to keep.
    NotApplicable,
    /// The clause applies, and something kept the suite from judging it.
    NotJudged,
}

/// A verdict with what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The reason, if the verdict is `unsupported`.
    pub reason: Option<Reason>,
    /// What was seen, in a sentence.
    pub observed: String,
    /// The routine that the library does not export, if the clause is unsupported because
    /// of that.
    pub missing: Option<String>,
    /// The index of the event that deviates, if one does.
    pub at: Option<usize>,
    /// What may be meant, for a common mistake.
    pub hint: Option<String>,
    /// Whether bytes changed that the caller had written: no caller can work around it.
    pub loses_data: bool,
}

impl Judgement {
    /// The promise was kept.
    pub fn pass(observed: impl Into<String>) -> Self {
        Verdict::Pass.because(observed)
    }

    /// The promise was broken.
    pub fn fail(observed: impl Into<String>) -> Self {
        Verdict::Fail.because(observed)
    }

    /// Unsupported: the page or the profile says that there is nothing to keep.
    pub fn not_applicable(why: impl Into<String>) -> Self {
        Judgement {
            reason: Some(Reason::NotApplicable),
            ..Verdict::Unsupported.because(why)
        }
    }

    /// Unsupported: the clause applies, and something kept the suite from judging it.
    pub fn not_judged(why: impl Into<String>) -> Self {
        Judgement {
            reason: Some(Reason::NotJudged),
            ..Verdict::Unsupported.because(why)
        }
    }

    /// Kept if `holds`, else broken.
    pub fn pass_if(holds: bool, observed: impl Into<String>) -> Self {
        if holds {
            Judgement::pass(observed)
        } else {
            Judgement::fail(observed)
        }
    }

    /// This judgement, with the index of the event that deviates.
    pub fn at(self, event: usize) -> Self {
        let at = Some(event);
        Judgement { at, ..self }
    }
}

impl Verdict {
    /// This verdict, with what was seen.
    pub fn because(self, observed: impl Into<String>) -> Judgement {
        Judgement {
            verdict: self,
            reason: None,
            observed: observed.into(),
            missing: None,
            at: None,
            hint: None,
            loses_data: false,
        }
    }
}
