//! What is done with a candidate.

use heapmin_harness::probe::Act;
use heapmin_harness::wire::observation::Observation;

/// Something to do with a candidate, in a probe of its own.
#[derive(Debug)]
pub struct Case {
    /// Its public name.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// How the system is made to refuse, if it is: the name for `--fault`.
    pub fault: Option<&'static str>,
    /// What it does.
    pub act: Act,
    /// Whether it does what no page defines: the end of the process is then
    /// something to record, not a crash to be blamed for.
    pub undefined: bool,
    /// Whether it loads the library and calls none of its routines, so that it needs none.
    pub only_loads: bool,
    /// Whether it makes child processes, so that the fence must let it.
    pub forks: bool,
    /// Reads from an observation how much memory was given back.
    pub given_back: Option<GivenBack>,
}

/// Returns how many bytes the workload held, and how many of them were given
/// back; `None` if that was not measured.
pub(super) type GivenBack = fn(&Observation) -> Option<(u64, u64)>;

impl Case {
    /// A case without a fault.
    pub const fn new(name: &'static str, summary: &'static str, act: Act) -> Case {
        Case {
            name,
            summary,
            fault: None,
            act,
            undefined: false,
            only_loads: false,
            forks: false,
            given_back: None,
        }
    }

    /// The same case as one in which the system refuses; `fault` is the name
    /// that `--fault` takes.
    pub const fn fault(self, fault: &'static str) -> Case {
        Case {
            fault: Some(fault),
            ..self
        }
    }

    /// The same case as one that measures how much memory is given back.
    pub const fn measures(self, given_back: GivenBack) -> Case {
        Case {
            given_back: Some(given_back),
            ..self
        }
    }

    /// The same case as one that makes child processes.
    pub const fn forks(self) -> Case {
        Case {
            forks: true,
            ..self
        }
    }

    /// The same case as one that calls no routine.
    pub const fn only_loads(self) -> Case {
        Case {
            only_loads: true,
            ..self
        }
    }

    /// The same case as one that does what no page defines.
    pub const fn undefined(self) -> Case {
        Case {
            undefined: true,
            ..self
        }
    }
}
