//! Makes the record of a run.

use super::*;
use crate::expected::gate::Findings;
use crate::load;
use crate::run::Checked;
use heapmin_harness::parent::candidate::{Candidate, Loading};
use heapmin_harness::parent::runner::{Runner, Starter};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::thread::available_parallelism;
use std::time::{Duration, SystemTime};

/// What a record has besides the results.
pub struct Setting {
    /// When the run began.
    pub started: SystemTime,
    /// How long it took.
    pub duration: Duration,
    /// What the user chose.
    pub options: Options,
    /// Whether the record has the text of a snapshot for each case.
    pub observations: bool,
}

/// The record of a run. The status is that of the findings.
pub fn make(
    checked: &[Checked],
    refused: &[load::Refused],
    findings: Findings,
    setting: Setting,
) -> Run {
    let Findings { complaints, notes } = findings;
    let mut run = Run {
        schema: SCHEMA,
        suite: env!("CARGO_PKG_VERSION").to_owned(),
        specification: SPECIFICATION.to_owned(),
        build: crate::BUILD.to_owned(),
        started: humantime::format_rfc3339_seconds(setting.started).to_string(),
        duration_ms: setting.duration.as_millis().try_into().unwrap_or(u64::MAX),
        machine: Machine::this(),
        options: setting.options,
        status: 0,
        interrupted: false,
        clauses: promises(checked),
        candidates: Vec::new(),
        refused: refused.iter().map(self::refused).collect(),
        complaints,
        known: Vec::new(),
        notes,
    };
    for one in checked {
        let mut library = library(one, setting.observations);
        library.judged = count(&run, &library);
        run.candidates.push(library);
    }
    run.set_states();
    run
}

impl Machine {
    /// The machine that this program runs on.
    fn this() -> Machine {
        Machine {
            system: std::env::consts::OS.to_owned(),
            kernel: kernel(),
            arch: std::env::consts::ARCH.to_owned(),
            processors: available_parallelism().map_or(1, usize::from),
        }
    }
}

#[cfg(unix)]
fn kernel() -> Option<String> {
    let name = rustix::system::uname();
    Some(name.release().to_string_lossy().into_owned())
}

/// No other part of the program needs Windows' version.
#[cfg(not(unix))]
fn kernel() -> Option<String> {
    None
}

impl Complaint {
    /// A complaint that is about no single library, clause or line.
    pub fn new(kind: Kind, message: String) -> Complaint {
        Complaint {
            kind,
            message,
            candidate: None,
            clause: None,
            case: None,
            entry: None,
        }
    }
}

impl Run {
    /// Adds a complaint.
    pub fn complain(&mut self, complaints: Vec<Complaint>) {
        self.complaints.extend(complaints);
        self.set_states();
    }

    /// Gives each clause the level that it has in a release.
    pub fn set_levels(&mut self, level: impl Fn(&str) -> Option<Level>) {
        for promise in &mut self.clauses {
            promise.level = level(&promise.id).unwrap_or(promise.level);
        }
        for result in self.candidates.iter_mut().flat_map(|it| &mut it.results) {
            result.level = level(&result.clause).unwrap_or(result.level);
        }
    }

    /// Marks the results that a complaint is about.
    fn set_states(&mut self) {
        for complaint in &self.complaints {
            let state = match complaint.kind {
                Kind::Stale => State::Stale,
                Kind::Lost => State::Lost,
                _ => continue,
            };
            let of = |library: &&mut Library| {
                let named = complaint.candidate.as_ref();
                named.is_none_or(|name| *name == library.name)
            };
            for library in self.candidates.iter_mut().filter(of) {
                let is_meant = |outcome: &&mut Outcome| {
                    complaint.clause.as_ref() == Some(&outcome.clause)
                        && (complaint.case.as_ref()).is_none_or(|case| *case == outcome.case)
                        && !outcome.verdict.is_deviation()
                };
                for outcome in library.results.iter_mut().filter(is_meant) {
                    outcome.state = state;
                    outcome.entry.clone_from(&complaint.entry);
                }
            }
        }
    }
}

/// The clauses of the results, each once, in their order.
fn promises(checked: &[Checked]) -> Vec<Promise> {
    let mut promises: Vec<Promise> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for outcome in checked.iter().flat_map(|one| &one.outcomes) {
        let clause = outcome.clause;
        if seen.insert(clause.id) {
            promises.push(Promise {
                id: clause.id.to_owned(),
                routine: clause.routine.to_owned(),
                level: clause.level,
                promise: clause.promise.to_owned(),
                cases: clause.cases.iter().map(|it| it.name.to_owned()).collect(),
                essential: clause.is_essential,
            });
        }
    }
    promises
}

fn refused(refused: &load::Refused) -> Refused {
    Refused {
        name: refused.name.clone(),
        reason: refused.error.problem.clone(),
        mend: refused.error.mend.clone(),
    }
}

/// The library of the candidate's heap, with the routines that were found in it.
fn heap(candidate: &Candidate) -> Option<Heap> {
    let heap = candidate.heap.as_ref()?;
    let routines = match &candidate.loading {
        Loading::Loaded(homes) => homes.heap.clone(),
        _ => Vec::new(),
    };
    Some(Heap {
        name: heap.name.clone(),
        routines,
    })
}

fn repeated(repeated: &crate::repeat::Repeated) -> Repeated {
    let changed = repeated.changed.iter().map(|changed| Changed {
        clause: changed.clause.to_owned(),
        case: changed.case.to_owned(),
        verdicts: (changed.verdicts.iter())
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect(),
        observations: changed.observation.clone().map(|(a, b)| [a, b]),
    });
    Repeated {
        runs: repeated.runs,
        changed: changed.collect(),
    }
}

fn library(checked: &Checked, observations: bool) -> Library {
    let candidate = &checked.candidate;
    let cases = checked.cases.iter();
    let texts = |texts: &BTreeMap<&'static str, String>| {
        let texts = texts.iter();
        texts
            .map(|(name, text)| ((*name).to_owned(), text.clone()))
            .collect()
    };
    let mut library = Library {
        name: candidate.name.clone(),
        path: candidate.path.display().to_string(),
        format: candidate.image.format.name().to_owned(),
        arch: candidate.image.arch.clone(),
        maker: candidate.image.maker.name().to_owned(),
        sha256: sha256(&candidate.path).ok(),
        runner: candidate.runner.command(),
        run_by: run_by(&candidate.runner),
        wine: candidate.runner.wine_version.clone(),
        profile: candidate.profile.as_ref().map(|it| it.name.clone()),
        version: candidate.image.version.clone(),
        original_name: candidate.original_name().map(str::to_owned),
        heap: heap(candidate),
        errno: checked.numbering.key().to_owned(),
        fenced: candidate.runner.is_fenced,
        fence: checked.fence.as_ref().map(|fence| Fence {
            kept: fence.kept.clone(),
            missing: fence.missing.clone(),
        }),
        given_back: checked
            .given_back
            .map(|(held, back)| GivenBack { held, back }),
        summary: BTreeMap::new(),
        judged: Count::default(),
        cases_run: checked.cases_run,
        repeated: checked.repeated.as_ref().map(repeated),
        results: checked.outcomes.iter().map(outcome).collect(),
        cases: cases
            .map(|(name, case)| ((*name).to_owned(), case.clone()))
            .collect(),
        observations: observations.then(|| texts(&checked.stable)),
    };
    library.summary = counts(&library)
        .map(|(verdict, count)| (verdict.name().to_owned(), count))
        .into();
    library
}

impl Library {
    /// Sets again which results are known deviations. `checked` has the same results.
    pub fn set_known(&mut self, checked: &Checked) {
        for (result, outcome) in self.results.iter_mut().zip(&checked.outcomes) {
            let now = self::outcome(outcome);
            (result.known, result.state, result.entry) = (now.known, now.state, now.entry);
        }
    }
}

fn outcome(outcome: &crate::run::Outcome) -> Outcome {
    let judgement = &outcome.judgement;
    Outcome {
        clause: outcome.clause.id.to_owned(),
        case: outcome.case.name.to_owned(),
        level: outcome.clause.level,
        verdict: judgement.verdict,
        reason: judgement.reason,
        missing: judgement.missing.clone(),
        expected: outcome.clause.expects(),
        source: SourceEntry::of(outcome.clause),
        observed: judgement.observed.clone(),
        hint: judgement.hint.clone(),
        beneath: outcome.beneath.clone(),
        known: outcome.known.is_some(),
        state: match (&outcome.known, judgement.verdict.is_deviation()) {
            (Some(_), _) => State::Known,
            (None, true) => State::New,
            (None, false) => State::AsExpected,
        },
        entry: outcome.known.clone(),
        loses_data: judgement.loses_data,
        at: outcome.at.clone(),
        duration_ms: outcome.duration_ms,
    }
}

/// `Wine 8.0`, the runner's command, or nothing if this system itself ran the library.
fn run_by(runner: &Runner) -> String {
    match (&runner.starter, &runner.wine_version) {
        (Starter::Wine(_), Some(version)) => format!("Wine {version}"),
        (Starter::Wine(_), None) => "Wine".into(),
        _ => runner.command().join(" "),
    }
}

/// The SHA-256 sum of a file, in hexadecimal digits.
///
/// # Errors
/// If the file cannot be read.
pub fn sha256(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => hash.update(&buffer[..count]),
        }
    }
    Ok(hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}
