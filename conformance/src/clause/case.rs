//! What is done with a candidate.

use heapmin_harness::parent::process_limit::{ProcessLimit, Resource};
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
    /// Whether the system refuses calls in it, in one way or several.
    pub refuses: bool,
    /// What it does.
    pub act: Act,
    /// Whether it does what no page defines: the end of the process is then
    /// something to record, not a crash to be blamed for.
    pub undefined: bool,
    /// Whether it loads the library and calls none of its routines, so that it needs none.
    pub only_loads: bool,
    /// Whether it makes child processes, so that the fence must let it.
    pub forks: bool,
    /// How its process starts, if it is about a heap in a process. Such a case applies only
    /// to a library that stands in for the system's heap.
    pub stand_in: Option<Start>,
    /// Reads from an observation how much memory was given back.
    pub given_back: Option<GivenBack>,
}

/// How the process of a case about a stand-in starts.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// Whether the library is in `LD_PRELOAD`, so that the whole process uses its heap.
    /// Otherwise the probe loads it by its path, beside the system's heap.
    pub is_preloaded: bool,
    /// The limit that the process has from its start.
    pub limit: Option<ProcessLimit>,
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
            refuses: false,
            act,
            undefined: false,
            only_loads: false,
            forks: false,
            stand_in: None,
            given_back: None,
        }
    }

    /// The same case as one in which the system refuses; `fault` is the name
    /// that `--fault` takes.
    pub const fn fault(self, fault: &'static str) -> Case {
        Case {
            fault: Some(fault),
            ..self.refuses()
        }
    }

    /// The same case as one in which the system refuses in several ways, so that `--fault`
    /// does not select it.
    pub const fn refuses(self) -> Case {
        Case {
            refuses: true,
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

    /// The same case for libraries that stand in for the system's heap. The probe loads the
    /// library by its path.
    pub const fn by_path(self) -> Case {
        Case {
            stand_in: Some(Start {
                is_preloaded: false,
                limit: None,
            }),
            ..self
        }
    }

    /// The same case for libraries that stand in for the system's heap. The library is in
    /// `LD_PRELOAD` when the probe starts.
    pub const fn preloaded(self) -> Case {
        Case {
            stand_in: Some(Start {
                is_preloaded: true,
                limit: None,
            }),
            ..self
        }
    }

    /// The same case in a process that has a limit from its start, in MiB. The case must
    /// say first how the library is loaded.
    pub const fn limited(self, resource: Resource, mebibytes: u64) -> Case {
        let Some(start) = self.stand_in else {
            panic!("only a case about a stand-in has a limit");
        };
        Case {
            stand_in: Some(Start {
                limit: Some(ProcessLimit {
                    resource,
                    mebibytes,
                }),
                ..start
            }),
            ..self
        }
    }

    /// Whether the library is in `LD_PRELOAD` when the probe starts.
    pub fn is_preloaded(&self) -> bool {
        self.stand_in.is_some_and(|start| start.is_preloaded)
    }

    /// The same case as one that does what no page defines.
    pub const fn undefined(self) -> Case {
        Case {
            undefined: true,
            ..self
        }
    }
}
