//! The check that a library exports a routine undecorated, or that it does not
//! where the profile says that the routine is gone.

use crate::clause::check::{Check, by};
use crate::clause::{Case, Clause, Judgement, Reason, Routine, Section, Seen, derived, must};
use heapmin_harness::library::routines::ROUTINES;
use heapmin_harness::probe::{Probe, Stop};
use heapmin_harness::text::printable::shown;

pub(crate) static LOAD: Case =
    Case::new("load", "loads the library and looks up every routine", load).only_loads();

/// The loader finds the routine, unless the profile says that it is gone.
pub(crate) const EXPORTED: Check = by(
    "the loader finds the routine by its undecorated name; if the profile says that it is gone, the library does not export it",
    judge,
);

/// The clause that a library exports a routine.
pub(crate) const fn exported(routine: Routine, id: &'static str, promise: &'static str) -> Clause {
    const FROM: &str =
        "the page declares the routine, and its data list the libraries that export it";
    let origin = derived(Section::Requirements, FROM);
    must(routine, id, promise, origin, LOADED, &[EXPORTED])
}

static LOADED: &[&Case] = &[&LOAD];

fn load(probe: &mut Probe) -> Result<(), Stop> {
    for routine in ROUTINES {
        if probe.crt.has(routine) {
            probe.fact(&found(routine), 1)?;
        }
    }
    Ok(())
}

/// The name of the fact that the loader found a routine.
fn found(routine: &str) -> String {
    format!("{routine} found")
}

/// Judges by what the file exports, what the loader finds, and what the profile
/// says. A routine that no profile promises may be missing.
fn judge(seen: &Seen) -> Judgement {
    let routine = seen.clause.routine;
    let exports = &seen.candidate.image.exports;
    let profile = seen.candidate.profile.as_ref();
    let is_gone = profile.is_some_and(|profile| profile.has_no(routine));
    let is_found = seen.observation.fact(&found(routine)) == Some(1);
    if let Some(name) = profile.and_then(|profile| profile.names.get(routine)) {
        let other = seen.candidate.other_name(routine);
        let library = other.map(|other| other.file).filter(|it| !it.is_empty());
        let place = library.map_or_else(String::new, |it| format!(" in {}", shown(&it)));
        let observed = match is_found {
            true => format!("found under its other name, {name}{place}"),
            false => format!("no {name}{place}, its other name in the profile"),
        };
        return Judgement::pass_if(is_found, observed);
    }
    if exports.iter().any(|name| name == routine) {
        if is_gone {
            return Judgement::fail("exported, although its profile says that it is gone");
        }
        let observed = match (is_found, seen.observation.loaded_from()) {
            (true, Some(file)) => format!("exported, and found by the loader in {file}"),
            (true, None) => "exported, and found by the loader".into(),
            (false, _) => "the file exports it, but the loader does not find it".into(),
        };
        return Judgement::pass_if(is_found, observed);
    }
    if is_gone {
        return Judgement::pass("gone, as its profile says");
    }
    let stem = routine.trim_start_matches('_');
    let similar: Vec<_> = exports.iter().filter(|name| name.contains(stem)).collect();
    let mut observed = "not exported".to_owned();
    if !similar.is_empty() && similar.len() < 4 {
        observed += &format!("; the file exports only {similar:?}");
    }
    // Every candidate must have `_heapmin`, also one without a profile.
    let is_promised = routine == "_heapmin" || profile.is_some_and(|it| it.promises(routine));
    match is_promised {
        true => Judgement::fail(observed),
        false => {
            let judgement = seen.missing(routine);
            let why = match judgement.reason {
                Some(Reason::NotApplicable) => judgement.observed.clone(),
                _ => observed + ", and no profile says that it should be",
            };
            Judgement {
                observed: why,
                ..judgement
            }
        }
    }
}
