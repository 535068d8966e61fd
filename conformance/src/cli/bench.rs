//! `heapmin bench`: runs benchmarks and shows the figures.

use super::output::{Output, terminal_width};
use super::signals::interrupted;
use super::{AS_EXPECTED, BenchArgs, REFERENCE, ReportFormat, catalogue, note, runners};
use crate::bench::report::{self, Named, Setting};
use crate::bench::{self, Bench, Curve, plot, trace};
use globset::Glob;
use heapmin_harness::library::profile::{Profile, Source};
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::parent::catalogue::Catalogue;
use heapmin_harness::parent::runners::{Choice, Runners};
use heapmin_harness::text::input_error::InputError;
use indicatif::{ProgressBar, ProgressStyle};
use std::ffi::OsStr;
use std::path::Path;
use std::thread::available_parallelism;
use std::time::Duration;

pub(super) fn bench(args: &BenchArgs) -> Result<u8, InputError> {
    if let [program, arguments @ ..] = args.program.as_slice() {
        return under_each_allocator(args, program, arguments);
    }
    // The candidates are installed on this machine, so they run without a fence,
    // which would slow them down.
    let runners = runners(Choice {
        is_unfenced: true,
        ..Choice::default()
    })?;
    let catalogue = catalogue()?;
    let candidates = candidates(args, &catalogue, &runners)?;
    if let Some(path) = &args.trace {
        trace::read(path)?;
    }
    let benches = chosen(args)?;
    let output = Output::create(args.output.as_deref())?;
    if let Some(folder) = &args.plots {
        std::fs::create_dir_all(folder).map_err(|error| cannot_draw(folder, &error))?;
    }
    let timeout = Duration::from_secs(args.timeout);
    let repeats = usize::from(args.repeat);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} runs, {elapsed}");
    let progress = ProgressBar::new((benches.len() * candidates.len() * repeats) as u64)
        .with_style(style.expect("the template is right"));
    let measured = bench::measure(
        &candidates,
        &benches,
        repeats,
        args.trace.as_ref(),
        timeout,
        || {
            progress.inc(1);
            interrupted().is_none()
        },
    );
    progress.finish_and_clear();
    let setting = setting(args, named(&candidates, timeout));
    let width = terminal_width().filter(|_| args.output.is_none());
    output.write(&match args.format {
        ReportFormat::Human => report::human(&setting, &measured, width),
        ReportFormat::Markdown => report::markdown(&setting, &measured),
        ReportFormat::Json => report::json(&setting, &measured),
    })?;
    if let Some(status) = interrupted() {
        note("interrupted: the report has only the benchmarks that were finished");
        return Ok(status);
    }
    if let Some(folder) = &args.plots {
        draw(folder, &candidates, &measured, timeout)?;
    }
    Ok(AS_EXPECTED)
}

#[cfg(target_os = "linux")]
use super::bench_program::bench as under_each_allocator;

#[cfg(not(target_os = "linux"))]
fn under_each_allocator(
    _: &BenchArgs,
    program: &OsStr,
    _: &[std::ffi::OsString],
) -> Result<u8, InputError> {
    let program = heapmin_harness::text::printable::shown(program);
    Err(InputError::new(
        format!("{program} cannot run under each allocator: this system has no LD_PRELOAD"),
        "run it on Linux",
    ))
}

/// The candidates named by the user; by default the reference and all installed
/// allocators.
pub(super) fn candidates(
    args: &BenchArgs,
    catalogue: &Catalogue,
    runners: &Runners,
) -> Result<Vec<Candidate>, InputError> {
    if !args.candidates.is_empty() {
        let named = args
            .candidates
            .iter()
            .map(|name| catalogue.candidate(name, None, runners));
        return named.collect();
    }
    let mut found = vec![catalogue.candidate(OsStr::new(REFERENCE), None, runners)?];
    let is_adapter = |profile: &&Profile| profile.source == Source::Adapter;
    for profile in catalogue.profiles.iter().filter(is_adapter) {
        let name = &profile.name;
        match catalogue.candidate(OsStr::new(name), None, runners) {
            Ok(candidate) => found.push(candidate),
            Err(error) => note(&format!("skipped: {name}: {error}")),
        }
    }
    Ok(found)
}

fn chosen(args: &BenchArgs) -> Result<Vec<Bench>, InputError> {
    let mut benches = bench::benches(args.trace.is_some());
    if args.only.is_empty() {
        return Ok(benches);
    }
    let mut wanted = Vec::new();
    for pattern in &args.only {
        let glob = Glob::new(pattern).map_err(|error| {
            InputError::new(
                format!("--only {pattern}: {error}"),
                "see `heapmin bench --help`",
            )
        })?;
        let glob = glob.compile_matcher();
        if !benches.iter().any(|bench| glob.is_match(&bench.name)) {
            let names: Vec<&str> = benches.iter().map(|bench| bench.name.as_str()).collect();
            return Err(InputError::new(
                format!("--only {pattern} matches no benchmark"),
                format!("the benchmarks are {}", names.join(", ")),
            ));
        }
        wanted.push(glob);
    }
    benches.retain(|bench| wanted.iter().any(|glob| glob.is_match(&bench.name)));
    Ok(benches)
}

/// This machine, and these candidates.
pub(super) fn setting(args: &BenchArgs, candidates: Vec<Named>) -> Setting {
    let processors = available_parallelism().map_or(1, usize::from);
    let model = processor().unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease");
    Setting {
        processor: format!("{processors} × {model}"),
        system: format!(
            "{} {}",
            std::env::consts::OS,
            release.as_deref().unwrap_or("").trim()
        ),
        repeats: args.repeat,
        candidates,
    }
}

fn named(candidates: &[Candidate], timeout: Duration) -> Vec<Named> {
    let named = candidates.iter().map(|candidate| Named {
        name: candidate.name.clone(),
        path: candidate.path.display().to_string(),
        version: bench::version(candidate, timeout),
    });
    named.collect()
}

fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn draw(
    folder: &Path,
    candidates: &[Candidate],
    measured: &[bench::Measured],
    timeout: Duration,
) -> Result<(), InputError> {
    let mut curves: Vec<(String, Curve)> = Vec::new();
    for candidate in candidates {
        match bench::curve(candidate, timeout) {
            Ok(curve) => curves.push((candidate.name.clone(), curve)),
            Err(why) => note(&format!(
                "{}: cannot plot resident memory: {why}",
                candidate.name
            )),
        }
    }
    let drawn = plot::resident(&folder.join("resident.svg"), &curves)
        .and_then(|()| plot::release(&folder.join("release.svg"), measured));
    drawn.map_err(|error| cannot_draw(folder, &error))
}

fn cannot_draw(folder: &Path, error: &dyn std::fmt::Display) -> InputError {
    let what = format!("cannot write plots to {}: {error}", folder.display());
    InputError::new(what, "give --plots a folder that can be written")
}
