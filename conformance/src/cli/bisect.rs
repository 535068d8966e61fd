//! `heapmin bisect`: finds the first of several versions of a library that breaks a clause.
//! With `--build` it judges one version after building it, for `git bisect run`.

use super::checked::run_of;
use super::messages::{note, remark};
use super::output::Output;
use super::{AS_EXPECTED, DEVIATION};
use crate::clause::Verdict;
use crate::record::Run;
use crate::select::clause;
use clap::{Args, ValueHint};
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::printable::shown;
use std::ffi::OsString;
use std::process::Command;

const AFTER: &str = "\
Exit status:
  0    the change was found; with --build, the library keeps the clause
  1    no change was found; with --build, the library breaks the clause
  125  with --build: the build failed, or the clause cannot be judged

Examples:
  heapmin bisect heapmin.exported lib-1.so lib-2.so lib-3.so
  git bisect run heapmin bisect --build make heapmin.exported ./libmine.so";

#[derive(Args)]
#[command(
    override_usage = "heapmin bisect [OPTIONS] <CLAUSE> <VERSIONS>... [-- CHECK-OPTIONS...]
       git bisect run heapmin bisect --build <CMD> <CLAUSE> <LIBRARY>",
    after_long_help = AFTER
)]
pub(super) struct BisectArgs {
    /// Id of the clause, as shown by `heapmin list`
    #[arg(value_hint = ValueHint::Other)]
    clause: String,
    /// The versions of the library, the oldest first
    #[arg(required = true, value_hint = ValueHint::FilePath)]
    versions: Vec<OsString>,
    /// Build the library with this command first and judge this one version
    ///
    /// For `git bisect run`.
    #[arg(long, value_name = "CMD", value_hint = ValueHint::CommandString, help_heading = HOW)]
    build: Option<String>,
    /// Check each version this many times; one deviation is enough
    #[arg(
        long,
        value_name = "N",
        default_value_t = 3,
        value_parser = clap::value_parser!(u32).range(1..=1000),
        help_heading = HOW
    )]
    repeat: u32,
    /// Options of `heapmin check`
    #[arg(last = true, value_name = "CHECK-OPTIONS", value_hint = ValueHint::Other)]
    options: Vec<OsString>,
}

const HOW: &str = "How to run it";

/// The exit status with which `git bisect run` leaves a version out.
const SKIP: u8 = 125;

/// How a version keeps a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    Keeps,
    Breaks,
    /// It cannot be checked, or the clause is not judged.
    Unknown,
}

impl Version {
    fn words(self) -> &'static str {
        match self {
            Version::Keeps => "keeps it",
            Version::Breaks => "breaks it",
            Version::Unknown => "not judged",
        }
    }
}

pub(super) fn bisect(args: &BisectArgs) -> Result<u8, InputError> {
    clause(&args.clause)?;
    match (&args.build, args.versions.as_slice()) {
        (Some(build), [library]) => Ok(of_a_build(args, build, library)),
        (Some(_), _) => Err(InputError::new(
            "--build is for one library, the one that is built",
            "name one library, or leave out --build",
        )),
        (None, [_]) => Err(InputError::new(
            "one version has no other to be compared with",
            "name several, the oldest first, or add --build for `git bisect run`",
        )),
        (None, versions) => of_versions(args, versions),
    }
}

/// Builds and judges one version: 0 if it keeps the clause, 1 if it breaks it, 125 if that
/// cannot be seen.
fn of_a_build(args: &BisectArgs, build: &str, library: &OsString) -> u8 {
    let mut shell = match cfg!(windows) {
        true => Command::new("cmd"),
        false => Command::new("sh"),
    };
    let flag = if cfg!(windows) { "/c" } else { "-c" };
    match shell.arg(flag).arg(build).status() {
        Ok(status) if status.success() => {}
        Ok(status) => {
            note(&format!(
                "the build ended with {status}: this version is left out"
            ));
            return SKIP;
        }
        Err(error) => {
            note(&format!("the build cannot be started: {error}"));
            return SKIP;
        }
    }
    let (version, why) = judge(args, library);
    remark(&format!("{}: {}: {why}", shown(library), version.words()));
    match version {
        Version::Keeps => AS_EXPECTED,
        Version::Breaks => DEVIATION,
        Version::Unknown => SKIP,
    }
}

/// Finds the first version that breaks the clause, by halves. Status 1 if there is no such
/// change.
fn of_versions(args: &BisectArgs, versions: &[OsString]) -> Result<u8, InputError> {
    let mut judge = |index: usize| {
        let (version, why) = judge(args, &versions[index]);
        remark(&format!(
            "{}: {}: {why}",
            shown(&versions[index]),
            version.words()
        ));
        version
    };
    let (text, status) = match first_bad(versions.len(), &mut judge) {
        Found::Change(good, bad) => {
            let between = match bad - good {
                1 => String::new(),
                more => format!(" ({} between them cannot be judged)", more - 1),
            };
            let (good, bad) = (shown(&versions[good]), shown(&versions[bad]));
            let text = format!(
                "{bad} is the first that breaks {}; {good} keeps it{between}\n",
                args.clause
            );
            (text, AS_EXPECTED)
        }
        Found::Nothing(why) => (format!("no change found: {why}\n"), DEVIATION),
    };
    Output::Standard.write(&text)?;
    Ok(status)
}

/// What a search found.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// The last version that keeps the clause and the first that breaks it.
    Change(usize, usize),
    /// Why there is no change.
    Nothing(&'static str),
}

/// Finds neighbouring versions of which the first keeps the clause and the second breaks it.
/// Versions that cannot be judged are left out.
fn first_bad(count: usize, judge: &mut impl FnMut(usize) -> Version) -> Found {
    let mut unknown = Vec::new();
    let mut first = |range: &mut dyn Iterator<Item = usize>| {
        let mut found = None;
        for index in range {
            match judge(index) {
                Version::Unknown => unknown.push(index),
                version => {
                    found = Some((index, version));
                    break;
                }
            }
        }
        found
    };
    let Some((mut good, oldest)) = first(&mut (0..count)) else {
        return Found::Nothing("no version can be judged");
    };
    if oldest == Version::Breaks {
        return Found::Nothing("the oldest version that can be judged breaks the clause");
    }
    let Some((mut bad, newest)) = first(&mut (good + 1..count).rev()) else {
        return Found::Nothing("only one version can be judged");
    };
    if newest == Version::Keeps {
        return Found::Nothing("the newest version that can be judged keeps the clause");
    }
    loop {
        let middle = usize::midpoint(good, bad);
        // The nearest to the middle that is not known to be unjudgeable.
        let mut between: Vec<_> = (good + 1..bad).filter(|it| !unknown.contains(it)).collect();
        between.sort_by_key(|index| index.abs_diff(middle));
        let Some(index) = between.first() else {
            return Found::Change(good, bad);
        };
        match judge(*index) {
            Version::Keeps => good = *index,
            Version::Breaks => bad = *index,
            Version::Unknown => unknown.push(*index),
        }
    }
}

/// Judges a version as often as `--repeat` says. It breaks the clause if one run shows that.
fn judge(args: &BisectArgs, library: &OsString) -> (Version, String) {
    let mut options: Vec<OsString> = ["--only", &args.clause].map(Into::into).into();
    options.push("--repeat".into());
    options.push(args.repeat.to_string().into());
    options.extend(args.options.iter().cloned());
    match run_of(library, &options) {
        Ok(run) => of_run(&run),
        Err(error) => (Version::Unknown, error.problem),
    }
}

fn of_run(run: &Run) -> (Version, String) {
    let results = || run.candidates.iter().flat_map(|it| &it.results);
    let worst = results()
        .filter(|it| it.verdict != Verdict::Error)
        .max_by_key(|it| it.verdict);
    match worst {
        Some(result) if result.verdict.is_deviation() => (Version::Breaks, result.observed.clone()),
        Some(result) if result.verdict.is_judged() => (Version::Keeps, result.observed.clone()),
        _ => {
            let why = results().next().map(|it| it.observed.clone());
            (Version::Unknown, why.unwrap_or_else(|| "no result".into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// `+` keeps the clause, `-` breaks it, `?` cannot be judged.
    #[rstest]
    #[case::first("+-----", Found::Change(0, 1))]
    #[case::last("+++++-", Found::Change(4, 5))]
    #[case::middle("+++---", Found::Change(2, 3))]
    #[case::two("+-", Found::Change(0, 1))]
    #[case::unknown_between("++???--", Found::Change(1, 5))]
    #[case::unknown_ends("?+--?", Found::Change(1, 2))]
    #[case::bad_from_the_start(
        "----",
        Found::Nothing("the oldest version that can be judged breaks the clause")
    )]
    #[case::good(
        "++++",
        Found::Nothing("the newest version that can be judged keeps the clause")
    )]
    #[case::unknown("???", Found::Nothing("no version can be judged"))]
    #[case::one("?+?", Found::Nothing("only one version can be judged"))]
    fn the_first_version_that_breaks_it_is_found(#[case] versions: &str, #[case] wanted: Found) {
        let mut judged = Vec::new();
        let found = first_bad(versions.len(), &mut |index| {
            judged.push(index);
            match versions.as_bytes()[index] {
                b'+' => Version::Keeps,
                b'-' => Version::Breaks,
                _ => Version::Unknown,
            }
        });
        assert_eq!(found, wanted);
        let count = judged.len();
        judged.sort_unstable();
        judged.dedup();
        assert_eq!(judged.len(), count, "each version is judged once");
    }

    #[test]
    fn few_of_many_versions_are_judged() {
        let mut count = 0;
        let found = first_bad(1000, &mut |index| {
            count += 1;
            if index < 613 {
                Version::Keeps
            } else {
                Version::Breaks
            }
        });
        assert_eq!(found, Found::Change(612, 613));
        assert!(count <= 12, "{count}");
    }
}
