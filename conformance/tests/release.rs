//! The checklist of a release, `.ci/release`, in small repositories that are ready, or lack one
//! thing. Without git or jq the tests are skipped; with HEAPMIN_REQUIRE=all they fail instead.
#![cfg(target_os = "linux")]

use rstest::rstest;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// Makes a repository that is ready for version 1.2.0. Two packages can be published: `zero`,
/// and `above`, which depends on it. `$HEAPMIN` and `$RAN` are outside of the repository.
const READY: &str = r#"
git init --quiet --initial-branch main .
mkdir -p .ci fixtures/promises zero/src above/src hidden/src
cp "$RELEASE" .ci/release
printf 'echo run >>"$RAN"\n' >.ci/run
printf 'echo archive >>"$RAN"\n' >.ci/archive
chmod +x .ci/*
cat >Cargo.toml <<'END'
[workspace]
resolver = "3"
members = ["above", "zero", "hidden"]
[workspace.package]
version = "1.2.0"
edition = "2024"
license = "MIT"
description = "small"
END
package() { # name
  touch "$1/src/lib.rs"
  printf '[package]\nname = "%s"\n' "$1"
  printf '%s.workspace = true\n' version edition license description
}
package zero >zero/Cargo.toml
{ package above; printf '[dependencies]\nzero = { path = "../zero", version = "1" }\n'; } >above/Cargo.toml
{ package hidden; echo 'publish = false'; } >hidden/Cargo.toml
cargo generate-lockfile --quiet
echo /target >.gitignore
printf '# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2026-11-26\n\n### Added\n\n- It.\n\n## [1.1.0] - 2026-01-01\n\n- Old.\n' >CHANGELOG.md
touch fixtures/promises/2026.1.tsv
printf '#!/bin/sh\n[ "$*" = "list --changed-since 2026.1" ] && echo "no clause changed since 2026.1"\n' >"$HEAPMIN"
chmod +x "$HEAPMIN"
commit() { git add --all && git commit --quiet --message "$1"; }
commit 'all: begin'
git tag v1.1.0
"#;

/// Whether a repository can be made here.
fn has_tools() -> bool {
    let missing = ["git", "jq", "bash"]
        .into_iter()
        .find(|tool| Command::new(tool).arg("--version").output().is_err());
    let Some(missing) = missing else { return true };
    let required = std::env::var("HEAPMIN_REQUIRE").unwrap_or_default();
    assert!(
        !required.contains("all"),
        "{missing} is missing: install it"
    );
    eprintln!("skipped: {missing} is missing, install it");
    false
}

/// Runs bash commands in the repository of this folder.
fn bash(folder: &Path, commands: &str) -> Output {
    let release = concat!(env!("CARGO_MANIFEST_DIR"), "/../.ci/release");
    let mut command = Command::new("bash");
    for (name, _) in std::env::vars_os() {
        // Git sets these if a hook runs the tests.
        if name.to_string_lossy().starts_with("GIT_") {
            command.env_remove(name);
        }
    }
    command
        .args(["-euo", "pipefail", "-c", commands])
        .current_dir(folder.join("repository"))
        .env("RELEASE", release)
        .env("HEAPMIN", folder.join("heapmin"))
        .env("RAN", folder.join("ran"))
        .env("CARGO_NET_OFFLINE", "true")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "me")))
        .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_EMAIL"), "me@example.org")))
        .output()
        .expect("bash starts")
}

/// The status of commands in a new repository, their output, and the steps that ran.
fn release(commands: &str) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("repository")).expect("a folder");
    let output = bash(folder.path(), &format!("{READY}{commands}"));
    (output.status.code(), text(&output), ran(&folder))
}

fn text(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&both).into_owned()
}

fn ran(folder: &TempDir) -> String {
    fs::read_to_string(folder.path().join("ran")).unwrap_or_default()
}

#[test]
fn a_release_runs_its_steps_and_prints_the_commands_for_a_person() {
    if !has_tools() {
        return;
    }
    let (status, text, ran) = release(".ci/release 1.2.0");
    assert_eq!(status, Some(0), "{text}");
    assert_eq!(ran, "run\narchive\n");
    let mut rest = text.as_str();
    for wanted in [
        "nothing prevents the release of heapmin 1.2.0",
        "git tag --sign v1.2.0 ",
        "git push origin main v1.2.0",
        // A package comes after those that it depends on.
        "cargo publish --locked --package zero",
        "cargo publish --locked --package above",
        "git push --force origin v1.2",
    ] {
        let place = rest.find(wanted);
        rest = &rest[place.unwrap_or_else(|| panic!("no {wanted} here in {text}"))..];
    }
    assert!(!text.contains("package hidden"), "{text}");
}

#[rstest]
#[case::named("1.2.0 --dry-run", "would run: .ci/archive\n")]
#[case::checked("--check", "nothing prevents the release of heapmin 1.2.0\n")]
fn nothing_runs_that_is_only_named_or_checked(#[case] arguments: &str, #[case] wanted: &str) {
    if !has_tools() {
        return;
    }
    let (status, text, ran) = release(&format!(".ci/release {arguments}"));
    assert_eq!((status, ran.as_str()), (Some(0), ""), "{text}");
    assert!(text.contains(wanted), "{text}");
}

#[rstest]
#[case::a_file_is_new("touch new", "files differ from the commit, new and 0 more: ")]
#[case::placeholder(
    "echo https://github.com/OWNER/heapmin >README.md; commit o",
    "the account that publishes is not set, README.md and 0 more have OWNER: "
)]
#[case::another_branch("git switch --quiet --create mine", "the branch is mine: ")]
#[case::no_branch("git switch --quiet --detach", "the branch is not named: ")]
#[case::version_of_cargo(
    "sed -i 's/1.2.0/1.3.0/' Cargo.toml; cargo update --quiet --workspace; commit v",
    "packages have another version than 1.2.0, above has 1.3.0 and 2 more: "
)]
#[case::cargo_toml("echo '[' >>Cargo.toml; commit c", "Cargo.toml cannot be read: ")]
#[case::no_heading(
    "sed -i 's/1.2.0/1.2.1/' CHANGELOG.md; commit h",
    "CHANGELOG.md has no heading for 1.2.0: "
)]
#[case::another_heading(
    "sed -i 's/1.2.0/1x2.0/' CHANGELOG.md; commit h",
    "CHANGELOG.md has no heading for 1.2.0: "
)]
#[case::no_date(
    "sed -i 's/ - 2026-11-26//' CHANGELOG.md; commit d",
    "CHANGELOG.md has no date for 1.2.0: "
)]
#[case::no_day(
    "sed -i 's/2026-11-26/2026-11-31/' CHANGELOG.md; commit d",
    "CHANGELOG.md has no date for 1.2.0: "
)]
#[case::empty_section(
    "sed -i '/It/d' CHANGELOG.md; commit e",
    "CHANGELOG.md says nothing about 1.2.0: "
)]
#[case::unreleased(
    r"sed -i 's/^## .Unrel.*/&\n\n### Fixed\n\n- More./' CHANGELOG.md; commit u",
    "CHANGELOG.md has text below Unreleased: "
)]
#[case::new_clauses(
    r#"printf '#!/bin/sh\nprintf "a.b: new: it\\nc.d: says now: x\\n  said before: y\\n"\n' >"$HEAPMIN""#,
    "2 clauses changed since the promises 2026.1, such as a.b: "
)]
#[case::program(
    "echo exit 1 >\"$HEAPMIN\"",
    "the clauses cannot be compared with their promises: "
)]
#[case::no_promises(
    "git rm --quiet -r fixtures/promises; git tag --delete v1.1.0 >/dev/null; commit p",
    "fixtures/promises has no file "
)]
#[case::changed_promises(
    "echo more >fixtures/promises/2026.1.tsv; commit p",
    "fixtures/promises/2026.1.tsv differs from that of v1.1.0: "
)]
#[case::lock(
    "sed -i 's/1.2.0/1.1.0/' Cargo.lock; commit l",
    "Cargo.lock is not up to date: "
)]
#[case::lock_of_another_workspace(
    "mkdir -p fuzz/src; touch fuzz/src/lib.rs; printf '[workspace]\\n[package]\\nname = \"f\"\\n' >fuzz/Cargo.toml; printf 'version = 4\\n' >fuzz/Cargo.lock; commit f",
    "fuzz/Cargo.lock is not up to date: "
)]
#[case::package(
    "echo 'readme = \"NO.md\"' >>zero/Cargo.toml; commit r",
    "zero cannot be packaged: error: readme `NO.md` does not appear to exist"
)]
#[case::tag("git tag v1.2.0", "the tag v1.2.0 exists: ")]
fn a_repository_that_is_not_ready_is_refused_in_one_line(#[case] change: &str, #[case] why: &str) {
    if !has_tools() {
        return;
    }
    let (status, text, ran) = release(&format!("{change}\n.ci/release 1.2.0"));
    assert_eq!(status, Some(1), "{text}");
    assert_eq!(ran, "", "a step ran");
    let lines: Vec<_> = text.lines().collect();
    let [line, last] = lines[..] else {
        panic!("not two lines: {text}");
    };
    assert!(line.starts_with(&format!("not ready: {why}")), "{text}");
    assert_eq!(
        last,
        "heapmin 1.2.0 cannot be released: 1 of the lines above are to be mended"
    );
}

#[test]
fn each_cause_has_a_line() {
    if !has_tools() {
        return;
    }
    let (status, text, _) = release("git tag v1.2.0; touch new; .ci/release --check 1.2.0");
    assert_eq!(status, Some(1));
    assert_eq!(text.matches("not ready: ").count(), 2, "{text}");
}

#[rstest]
#[case::failed("echo 'exit 3' >.ci/run", "not ready: .ci/run failed with status 3")]
#[case::changed(
    "echo 'touch new' >.ci/archive",
    "not ready: the tree changed during the steps: "
)]
fn a_step_that_fails_or_changes_the_tree_ends_the_release(#[case] change: &str, #[case] why: &str) {
    if !has_tools() {
        return;
    }
    let (status, text, _) = release(&format!("{change}; commit s; .ci/release 1.2.0"));
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains(why), "{text}");
    assert!(!text.contains("git tag"), "{text}");
}

#[rstest]
#[case::nothing("", "usage: ")]
#[case::no_version("1.2", "1.2 is no version such as 0.1.0")]
#[case::tag_for_version("v1.2.0", "v1.2.0 is no version such as 0.1.0")]
#[case::option("--chekc", "unknown option --chekc")]
#[case::two("1.2.0 1.3.0", "two versions: 1.2.0 and 1.3.0")]
fn wrong_arguments_are_refused_with_the_usage(#[case] arguments: &str, #[case] why: &str) {
    if !has_tools() {
        return;
    }
    let (status, text, _) = release(&format!(".ci/release {arguments}"));
    assert_eq!(status, Some(2), "{text}");
    assert!(text.starts_with(why) && text.contains("usage: "), "{text}");
}
