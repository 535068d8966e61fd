//! Loads each candidate once, before any case.
//!
//! A file that the loader rejects is refused with one message. A library whose own code
//! ends or delays the process during loading gets one verdict, and no case is run.

use crate::observe::observe_loading;
use crate::pace::Pace;
use heapmin_harness::parent::candidate::{Candidate, Loading};
use heapmin_harness::parent::interruption;
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::printable::{on_one_line, shown};
use heapmin_harness::wire::observation::{Ending, Observation};
use std::path::Path;
use std::thread;

/// A candidate that the loader rejects, or whose heap is not there.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The argument with which the user named it.
    pub name: String,
    /// What is wrong, and what to do.
    pub error: InputError,
}

/// Loads the candidates, each in its own process. Returns those that can be judged, and
/// why each of the others cannot.
pub fn load_all(
    candidates: Vec<Candidate>,
    jobs: usize,
    pace: &Pace,
) -> (Vec<Candidate>, Vec<Refused>) {
    let (mut loaded, mut refused) = (Vec::new(), Vec::new());
    let mut candidates = candidates.into_iter();
    loop {
        let group: Vec<Candidate> = candidates.by_ref().take(jobs.max(1)).collect();
        if group.is_empty() {
            return (loaded, refused);
        }
        let results: Vec<_> = thread::scope(|scope| {
            let threads = group.into_iter().map(|candidate| {
                let name = candidate.name.clone();
                (name, scope.spawn(|| load(candidate, pace)))
            });
            let threads: Vec<_> = threads.collect();
            let join = |(name, thread): (_, thread::ScopedJoinHandle<_>)| {
                (name, thread.join().expect("loading does not panic"))
            };
            threads.into_iter().map(join).collect()
        });
        for (name, result) in results {
            match result {
                Ok(candidate) => loaded.push(candidate),
                Err(error) => refused.push(Refused { name, error }),
            }
        }
    }
}

/// Loads a candidate once.
///
/// # Errors
/// If the probe does not start, the loader rejects a library, or there is no heap.
fn load(candidate: Candidate, pace: &Pace) -> Result<Candidate, InputError> {
    let seen = observe_loading(&candidate, pace.of(&candidate.runner).full);
    if interruption::is_wanted() {
        return Ok(candidate);
    }
    if let Some(error) = refusal(&candidate, &seen) {
        return Err(error);
    }
    let loading = match seen.homes() {
        Some(homes) if seen.ending == Ending::Done => Loading::Loaded(homes.clone()),
        _ => Loading::Ended(seen),
    };
    let candidate = Candidate {
        loading,
        ..candidate
    };
    candidate.check_heap()?;
    Ok(candidate)
}

/// Why the candidate cannot be judged, if that is not the fault of its own code.
fn refusal(candidate: &Candidate, seen: &Observation) -> Option<InputError> {
    let path = shown(candidate.path.as_os_str());
    let refused = |what: String, mend: &str| {
        Some(InputError::new(
            format!("{path}: {}", on_one_line(&what)),
            mend,
        ))
    };
    let why = match &seen.ending {
        Ending::Failed(reason) => reason.clone(),
        Ending::Died(how) if !seen.has_started() => format!("the probe did not start: {how}"),
        Ending::TimedOut if !seen.has_started() => format!(
            "the probe did not start within {} s",
            seen.duration_ms / 1000
        ),
        _ => {
            if let Some(reason) = seen.load_failure() {
                let missing = missing_libraries(candidate);
                let of_heap = candidate.heap.as_ref().map(|heap| heap.name.as_str());
                let of_heap = of_heap.map(|name| format!(" (with --heap {name})"));
                let what = format!(
                    "the loader rejects it{}: {reason}{missing}",
                    of_heap.unwrap_or_default()
                );
                let mend = "install or build what it needs, or name its folder with --library-path";
                return refused(what, mend);
            }
            if let Some(other) = other_file(candidate, seen) {
                return refused(other, "name the file that the loader takes");
            }
            return None;
        }
    };
    refused(why, "run again; if it happens again, report it")
}

/// Why the loaded file is another one than the candidate's: Wine, or Windows for an
/// assembly, has libraries under the same names, and may load one of them instead.
pub fn other_file(candidate: &Candidate, seen: &Observation) -> Option<String> {
    // Without a stage, the candidate is Wine's own library, or no other can be loaded.
    let staged = candidate.stage.as_ref()?.staged_path();
    let staged = candidate.runner.path_for_loader(&staged).ok()?;
    let loaded = seen.loaded_from()?;
    let same = staged.eq_ignore_ascii_case(loaded);
    (!same).then(|| format!("the loader took {loaded} instead of this file"))
}

/// The libraries that a PE file needs and that are in no folder where the loader
/// searches: its message does not name them.
fn missing_libraries(candidate: &Candidate) -> String {
    let Some(system) = &candidate.system_libraries else {
        return String::new();
    };
    let mut folders: Vec<&Path> = candidate.search_folders.iter().map(AsRef::as_ref).collect();
    folders.extend(candidate.path.parent());
    folders.push(system);
    let is_missing = |name: &&String| {
        // Windows resolves these names without a file.
        let is_set = name.to_lowercase().starts_with("api-ms-")
            || name.to_lowercase().starts_with("ext-ms-");
        !is_set && !folders.iter().any(|folder| has_file(folder, name))
    };
    let missing: Vec<_> = candidate.image.needs.iter().filter(is_missing).collect();
    match missing.as_slice() {
        [] => String::new(),
        names => {
            let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
            format!("; it needs {}, which was not found", names.join(", "))
        }
    }
}

/// Whether a folder has a file with this name, in any letter case.
fn has_file(folder: &Path, name: &str) -> bool {
    folder.join(name).is_file()
        || folder.read_dir().is_ok_and(|entries| {
            let names = entries.flatten().map(|entry| entry.file_name());
            names.into_iter().any(|it| it.eq_ignore_ascii_case(name))
        })
}
