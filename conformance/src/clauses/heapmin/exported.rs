//! The library exports `_heapmin` undecorated.

use crate::clause::{Case, Clause, Judgement, Level, Seen};
use heapmin_harness::probe::{Probe, Stop};

pub static EXPORTED: Clause = Clause {
    id: "heapmin.exported",
    routine: "_heapmin",
    level: Level::Must,
    page: "_heapmin",
    summary: "the library exports _heapmin undecorated",
    expects: "the loader finds a routine named _heapmin",
    needs_success: false,
    cases: &[&LOAD],
    judge: is_exported,
};

static LOAD: Case = Case {
    name: "load",
    summary: "loads the library and looks _heapmin up",
    fault: None,
    act: load,
};

fn load(probe: &mut Probe) -> Result<(), Stop> {
    let found = probe.crt.has_heapmin();
    probe.fact("_heapmin found", found.into())
}

fn is_exported(seen: &Seen) -> Judgement {
    let exports = &seen.candidate.image.exports;
    let found = seen.observation.fact("_heapmin found") == Some(1);
    if exports.iter().any(|name| name == "_heapmin") {
        let observed = match (found, seen.observation.loaded_from()) {
            (true, Some(file)) => format!("exported, and found by the loader in {file}"),
            (true, None) => "exported, and found by the loader".into(),
            (false, _) => "the file exports _heapmin, but the loader does not find it".into(),
        };
        return Judgement::pass_if(found, observed);
    }
    let similar: Vec<_> = exports
        .iter()
        .filter(|name| name.contains("heapmin"))
        .collect();
    Judgement::fail(format!("the file exports only {similar:?}"))
}
