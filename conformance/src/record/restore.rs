//! The results of a record as a run has them, to be compared with expected results.

use super::Library;
use crate::clause::Judgement;
use crate::run::{Checked, Outcome};
use crate::select::clause;
use heapmin_harness::library::errno_names::Numbering;
use heapmin_harness::library::identity::Identity;
use heapmin_harness::library::inspect::{self, Format, Maker};
use heapmin_harness::library::profile::Profile;
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::parent::runner::{Runner, Starter};
use heapmin_harness::parent::target::Target;
use heapmin_harness::text::input_error::InputError;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The results of a library, which is not loaded again. `profile` is its profile.
///
/// # Errors
/// If this program does not know a clause or case of the record.
pub fn restore(library: &Library, profile: Option<Profile>) -> Result<Checked, InputError> {
    let outcomes = library.results.iter().map(outcome);
    Ok(Checked {
        candidate: candidate(library, profile)?,
        outcomes: outcomes.collect::<Result<_, _>>()?,
        cases_run: library.cases_run,
        fence: None,
        given_back: None,
        stable: BTreeMap::new(),
        cases: BTreeMap::new(),
        numbering: match library.errno.as_str() {
            "host" => Numbering::Host,
            _ => Numbering::Msvc,
        },
        repeated: None,
    })
}

fn outcome(recorded: &super::Outcome) -> Result<Outcome, InputError> {
    let clause = clause(&recorded.clause)?;
    let case = clause.cases.iter().find(|it| it.name == recorded.case);
    let case = case.ok_or_else(|| {
        InputError::new(
            format!("{} has no case {}", recorded.clause, recorded.case),
            "use the heapmin that made the report",
        )
    })?;
    Ok(Outcome {
        clause,
        case,
        judgement: Judgement {
            verdict: recorded.verdict,
            reason: recorded.reason,
            observed: recorded.observed.clone(),
            missing: recorded.missing.clone(),
            at: None,
            hint: recorded.hint.clone(),
            loses_data: recorded.loses_data,
        },
        known: None,
        at: recorded.at.clone(),
        beneath: recorded.beneath.clone(),
        duration_ms: recorded.duration_ms,
    })
}

/// The candidate, as far as entries about it need it. It must not be loaded.
fn candidate(library: &Library, profile: Option<Profile>) -> Result<Candidate, InputError> {
    let format = match library.format.as_str() {
        "pe" => Format::Pe,
        "macho" => Format::Macho,
        _ => Format::Elf,
    };
    let starter = match (
        library.run_by.starts_with("Wine"),
        library.runner.as_slice(),
    ) {
        (_, []) => Starter::System,
        (true, [path, ..]) => Starter::Wine(path.into()),
        (false, words) => Starter::Command(words.to_vec()),
    };
    let identity = Identity::of(Path::new(".")).map_err(|error| {
        InputError::new(
            format!("the current folder cannot be read: {error}"),
            "start heapmin in another folder",
        )
    })?;
    Ok(Candidate {
        profile,
        ..Candidate::of_file(
            library.name.clone(),
            PathBuf::from(&library.path),
            inspect::Library {
                format,
                arch: library.arch.clone(),
                exports: Vec::new(),
                forwarded: Vec::new(),
                version: library.version.clone(),
                original_name: library.original_name.clone(),
                maker: match library.maker.as_str() {
                    "microsoft" => Maker::Microsoft,
                    "wine" => Maker::Wine,
                    _ => Maker::Other,
                },
                own_calls: Vec::new(),
                needs: Vec::new(),
            },
            identity,
            Runner {
                starter,
                target: Target::new(format, &library.arch),
                wine_version: library.wine.clone(),
                program: PathBuf::new(),
                is_fenced: library.fenced,
                memory: None,
                sees_memory: true,
                frees_threads: true,
            },
        )
    })
}
