//! Starts the probe of a candidate for one case, one script or one act.

use crate::clause::{Case, Start};
use heapmin_harness::library::routines::is_looked_up;
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::parent::launch::Launch;
use heapmin_harness::parent::process_limit::ProcessLimit;
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::printable::shown;
use heapmin_harness::wire::channel::new_token;
use heapmin_harness::wire::job::Job;
use heapmin_harness::wire::observation::{Ending, Event, Observation};
use heapmin_harness::wire::stop::StopAt;
use std::time::Duration;

/// Runs one case on a candidate.
pub fn observe(candidate: &Candidate, case: &Case, timeout: Duration) -> Observation {
    let mut setting = Setting::of(candidate);
    setting.may_fork = case.forks;
    if let Some(start) = case.stand_in
        && let Err(obstacle) = prepare(candidate, start, &mut setting)
    {
        return Observation {
            events: vec![*obstacle],
            ending: Ending::Done,
            duration_ms: 0,
        };
    }
    launch(candidate, &setting, case.name, None, timeout)
}

/// Runs one case on a candidate, and records what its calls cover.
pub fn observe_recorded(candidate: &Candidate, case: &Case, timeout: Duration) -> Observation {
    let job = Job {
        case: case.name.to_owned(),
        record: true,
        ..job_of(candidate)
    };
    let mut setting = Setting::of(candidate);
    setting.may_fork = case.forks;
    launch_job(candidate, &setting, &job, timeout)
}

/// Loads a candidate and runs no case. The probe reports where it found each routine.
pub fn observe_loading(candidate: &Candidate, timeout: Duration) -> Observation {
    launch(candidate, &Setting::of(candidate), "", None, timeout)
}

/// Runs a script of [`heapmin_harness::wire::script`] on a candidate.
pub fn observe_script(candidate: &Candidate, script: &str, timeout: Duration) -> Observation {
    let setting = Setting::of(candidate);
    launch(candidate, &setting, "script", Some(script), timeout)
}

/// Runs an act that is not a case on a candidate, with more environment variables.
pub fn observe_with(
    candidate: &Candidate,
    act: &str,
    more: &[(String, String)],
    timeout: Duration,
) -> Observation {
    let mut setting = Setting::of(candidate);
    setting.environment.extend_from_slice(more);
    launch(candidate, &setting, act, None, timeout)
}

/// What the probe of a case needs, for a tool that starts it.
#[derive(Debug)]
pub struct Prepared {
    /// Its job, without a fence.
    pub job: Job,
    /// The environment variables that the candidate needs.
    pub environment: Vec<(String, String)>,
    /// The limit that the process has from its start.
    pub limit: Option<ProcessLimit>,
}

/// Prepares a case for a probe that stops at this place.
///
/// # Errors
/// If the case does not apply to the candidate, or cannot run here.
pub fn prepared(
    candidate: &Candidate,
    case: &Case,
    stop: Option<StopAt>,
) -> Result<Prepared, InputError> {
    let mut setting = Setting::of(candidate);
    let prepared = case
        .stand_in
        .map(|start| prepare(candidate, start, &mut setting));
    if let Err(obstacle) = prepared.transpose() {
        let why = match *obstacle {
            Event::NotApplicable(why) | Event::NotJudged(why) => why,
            event => format!("{event:?}"),
        };
        let problem = format!("the case {} cannot run: {why}", case.name);
        return Err(InputError::new(problem, "name another case"));
    }
    Ok(Prepared {
        job: Job {
            case: case.name.to_owned(),
            stop,
            ..job_of(candidate)
        },
        environment: setting.environment,
        limit: setting.limit,
    })
}

/// How the process of a probe differs from that of other probes.
struct Setting {
    environment: Vec<(String, String)>,
    may_fork: bool,
    limit: Option<ProcessLimit>,
}

impl Setting {
    /// What the candidate always needs.
    fn of(candidate: &Candidate) -> Setting {
        Setting {
            environment: candidate.environment.clone(),
            may_fork: false,
            limit: None,
        }
    }
}

/// Prepares a case about a stand-in.
///
/// # Errors
/// The event that says why the case does not apply to the candidate, or cannot run.
fn prepare(candidate: &Candidate, start: Start, setting: &mut Setting) -> Result<(), Box<Event>> {
    if !candidate.stands_in || !candidate.can_be_preloaded() {
        return Err(Box::new(Event::NotApplicable(NO_STAND_IN.into())));
    }
    setting.limit = start.limit;
    if start.is_preloaded {
        // The loader separates the names in the variable at spaces and colons.
        let path = candidate.path.to_str();
        let path = path.filter(|path| !path.contains([' ', ':'])).ok_or_else(|| {
            let why = "LD_PRELOAD cannot name a path with a space, a colon or bytes that are not UTF-8";
            Box::new(Event::NotJudged(why.into()))
        })?;
        let is_variable = |(name, _): &(String, String)| name == PRELOAD;
        let own = setting.environment.iter().position(is_variable);
        let more = match own {
            Some(own) => Some(setting.environment.remove(own).1),
            None => std::env::var(PRELOAD).ok(),
        };
        let more = more.filter(|more| !more.is_empty());
        let names = [Some(path.to_owned()), more].into_iter().flatten();
        let names = names.collect::<Vec<_>>().join(":");
        setting.environment.push((PRELOAD.into(), names));
    }
    Ok(())
}

const PRELOAD: &str = "LD_PRELOAD";
const NO_STAND_IN: &str = "the library does not stand in for the system's heap (profile key stands-in, or --preload, for ELF libraries on Linux)";

fn launch(
    candidate: &Candidate,
    setting: &Setting,
    case: &str,
    script: Option<&str>,
    timeout: Duration,
) -> Observation {
    let job = Job {
        case: case.to_owned(),
        script: script.map(str::to_owned),
        ..job_of(candidate)
    };
    launch_job(candidate, setting, &job, timeout)
}

/// The job of a probe that loads the candidate and has no case yet.
fn job_of(candidate: &Candidate) -> Job {
    let profile = candidate.profile.as_ref();
    let heap = candidate.heap.as_ref();
    Job {
        token: new_token(),
        load_name: candidate.load_name.clone(),
        exports: Some(looked_up(&candidate.image.exports)),
        names: candidate.other_names(),
        own_calls: candidate.image.own_calls.clone(),
        heap: heap.map(|heap| heap.load_name.clone()).unwrap_or_default(),
        heap_exports: heap.and_then(|heap| heap.exports.as_deref().map(looked_up)),
        errno_library: profile.and_then(|profile| profile.errno_library.clone()),
        // A staged file has no other name: it takes the place of the loader's own file.
        alias: profile
            .filter(|_| candidate.stage.is_none())
            .and_then(|profile| profile.alias.clone()),
        ..Job::default()
    }
}

fn launch_job(
    candidate: &Candidate,
    setting: &Setting,
    job: &Job,
    timeout: Duration,
) -> Observation {
    let observation = Launch::new(&candidate.runner, timeout)
        .with_environment(&setting.environment)
        .with_children(setting.may_fork)
        .with_limit(setting.limit)
        .observe(job);
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
    use crate::forged::candidate;

    fn prepared(candidate: &Candidate, start: Start) -> Result<Setting, Box<Event>> {
        let mut setting = Setting::of(candidate);
        prepare(candidate, start, &mut setting).map(|()| setting)
    }

    const PRELOADED: Start = Start {
        is_preloaded: true,
        limit: None,
    };

    #[test]
    fn a_case_about_a_stand_in_applies_to_no_other_library() {
        let other = prepared(&candidate(), PRELOADED);
        let expected = Event::NotApplicable(NO_STAND_IN.into());
        assert_eq!(other.err().as_deref(), Some(&expected));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_preloaded_candidate_comes_before_other_names_in_the_variable() {
        let mut candidate = candidate();
        candidate.stands_in = true;
        candidate.environment = vec![(PRELOAD.into(), "/other.so".into())];
        let setting = prepared(&candidate, PRELOADED).ok().unwrap();
        let expected = [(PRELOAD.to_owned(), "/c.so:/other.so".to_owned())];
        assert_eq!(setting.environment, expected);
        candidate.path = "/a folder/c.so".into();
        let unnamed = prepared(&candidate, PRELOADED).err();
        assert!(
            matches!(unnamed.as_deref(), Some(Event::NotJudged(_))),
            "{unnamed:?}"
        );
    }

    #[test]
    fn a_probe_gets_only_the_exports_that_it_looks_up() {
        let decorated = "?_set_new_mode@@YAHH@Z";
        let exports = ["malloc", "main", "_heapmin", decorated].map(str::to_owned);
        assert_eq!(looked_up(&exports), ["malloc", "_heapmin", decorated]);
    }
}
