//! Starts the probe of a candidate for one case, one script or one act.

use crate::clause::Case;
use heapmin_harness::library::routines::is_looked_up;
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::parent::launch::Launch;
use heapmin_harness::text::printable::shown;
use heapmin_harness::wire::channel::new_token;
use heapmin_harness::wire::job::Job;
use heapmin_harness::wire::observation::{Ending, Observation};
use std::time::Duration;

/// Runs one case on a candidate.
pub fn observe(candidate: &Candidate, case: &Case, timeout: Duration) -> Observation {
    launch(candidate, case.name, None, case.forks, timeout)
}

/// Loads a candidate and runs no case. The probe reports where it found each routine.
pub fn observe_loading(candidate: &Candidate, timeout: Duration) -> Observation {
    launch(candidate, "", None, false, timeout)
}

/// Runs a script of [`heapmin_harness::wire::script`] on a candidate.
pub fn observe_script(candidate: &Candidate, script: &str, timeout: Duration) -> Observation {
    launch(candidate, "script", Some(script), false, timeout)
}

/// Runs an act that is not a case on a candidate, with more environment variables.
pub fn observe_with(
    candidate: &Candidate,
    act: &str,
    more: &[(String, String)],
    timeout: Duration,
) -> Observation {
    let environment = [candidate.environment.as_slice(), more].concat();
    launch_in(candidate, &environment, act, None, false, timeout)
}

fn launch(
    candidate: &Candidate,
    case: &str,
    script: Option<&str>,
    may_fork: bool,
    timeout: Duration,
) -> Observation {
    launch_in(
        candidate,
        &candidate.environment,
        case,
        script,
        may_fork,
        timeout,
    )
}

fn launch_in(
    candidate: &Candidate,
    environment: &[(String, String)],
    case: &str,
    script: Option<&str>,
    may_fork: bool,
    timeout: Duration,
) -> Observation {
    let profile = candidate.profile.as_ref();
    let heap = candidate.heap.as_ref();
    let job = Job {
        token: new_token(),
        case: case.to_owned(),
        script: script.map(str::to_owned),
        fence: None,
        load_name: candidate.load_name.clone(),
        exports: Some(looked_up(&candidate.image.exports)),
        own_calls: candidate.image.own_calls.clone(),
        heap: heap.map(|heap| heap.load_name.clone()).unwrap_or_default(),
        heap_exports: heap.and_then(|heap| heap.exports.as_deref().map(looked_up)),
        errno_library: profile.and_then(|profile| profile.errno_library.clone()),
        // A staged file has no other name: it takes the place of the loader's own file.
        alias: profile
            .filter(|_| candidate.stage.is_none())
            .and_then(|profile| profile.alias.clone()),
    };
    let observation = Launch::new(&candidate.runner, timeout)
        .with_environment(environment)
        .with_children(may_fork)
        .observe(&job);
    if candidate.identity.is_of(&candidate.path) {
        return observation;
    }
    // The observation may come from the old file, the new one, or a mixture.
    let path = shown(candidate.path.as_os_str());
    Observation {
        events: Vec::new(),
        ending: Ending::Failed(format!(
            "{path} was replaced or changed during the run; run again when the file no longer changes"
        )),
        ..observation
    }
}

/// The exports of a library that a probe looks up.
fn looked_up(exports: &[String]) -> Vec<String> {
    let known = exports.iter().filter(|name| is_looked_up(name));
    known.cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_gets_only_the_exports_that_it_looks_up() {
        let decorated = "?_set_new_mode@@YAHH@Z";
        let exports = ["malloc", "main", "_heapmin", decorated].map(str::to_owned);
        assert_eq!(looked_up(&exports), ["malloc", "_heapmin", decorated]);
    }
}
