//! `heapmin init`: the files that it writes, and the files that it leaves alone.
#![cfg(target_os = "linux")]

mod program;
mod refused;

use heapmin_test_libraries::candidate;
use program::heapmin_in;
use refused::is_refused;
use rstest::rstest;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;
use tempfile::TempDir;

/// A clause that the library keeps and one that it breaks.
const ONLY: &[&str] = &[
    "--only",
    "heapmin.exported",
    "--only",
    "heapmin.success-keeps-errno",
];
const GITHUB: &str = ".github/workflows/heapmin.yml";

/// A repository with a library of few routines, so that a check is quick.
struct Repository(TempDir);

impl Repository {
    fn new() -> Repository {
        let folder = TempDir::new().expect("a folder");
        fs::create_dir(folder.path().join(".git")).unwrap();
        fs::create_dir(folder.path().join("build")).unwrap();
        fs::write(folder.path().join("Makefile"), "").unwrap();
        let repository = Repository(folder);
        repository.put("libmine.so");
        repository
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Puts the library there.
    fn put(&self, name: &str) {
        self.put_candidate("sets_errno_on_success", name);
    }

    fn put_candidate(&self, library: &str, name: &str) {
        fs::copy(candidate(library), self.path(name)).expect("it can be copied");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The names of all files, below the root, without those that were there before.
    fn written(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut folders = vec![self.0.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path
                    .strip_prefix(self.0.path())
                    .unwrap()
                    .display()
                    .to_string();
                match path.is_dir() {
                    true => folders.push(path),
                    false => drop(found.insert(name)),
                }
            }
        }
        found.retain(|name| !name.ends_with(".so") && name != "Makefile");
        found
    }

    /// Checks few clauses, so that a test is quick.
    fn init_in(&self, folder: &str, arguments: &[&str]) -> Output {
        heapmin_in(&self.path(folder), &[&["init"], ONLY, arguments].concat())
    }

    fn init(&self, arguments: &[&str]) -> Output {
        self.init_in("", arguments)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What it printed, if it ended well.
#[track_caller]
fn done(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "");
    text(&output.stdout)
}

fn names(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(|it| (*it).to_owned()).collect()
}

#[test]
fn the_files_for_github_are_written_and_the_gate_they_make_passes() {
    let repository = Repository::new();
    let printed = done(&heapmin_in(repository.0.path(), &["init", "./libmine.so"]));
    assert_eq!(repository.written(), names(&["expected.toml", GITHUB]));
    assert_eq!(
        repository.read(GITHUB),
        "\
# Written by `heapmin init`. Checks the heap of the library, and fails if a result is not
# as expected.toml says.
name: heap
on:
  push:
  pull_request:
permissions:
  contents: read

jobs:
  heap:
    runs-on: MACHINE
    steps:
      - uses: actions/checkout@v4
      - run: make
      - uses: OWNER/heapmin/.github/actions/check@VERSION
        with:
          libraries: libmine.so
          expected: expected.toml
"
        .replace("MACHINE", machine())
        .replace("OWNER/heapmin", &home())
        .replace("VERSION", &version())
    );
    let expected = repository.read("expected.toml");
    assert!(
        expected.contains("clause = \"heapmin.success-keeps-errno\""),
        "{expected}"
    );
    assert!(expected.contains("[[judged]]"), "{expected}");
    let lines = expected
        .lines()
        .filter(|line| line.starts_with("clause = \""));
    let broken: BTreeSet<&str> = lines.collect();
    let first = format!(
        "wrote expected.toml: {} clauses with known deviations, ",
        broken.len()
    );
    assert!(printed.starts_with(&first), "{printed}");
    assert!(
        printed.contains("\n- `make` builds libmine.so\n"),
        "{printed}"
    );
    let last = printed.lines().last().unwrap().trim();
    assert_eq!(last, "heapmin check --expected expected.toml libmine.so");
    let command: Vec<&str> = last.split(' ').skip(1).collect();
    let again = heapmin_in(repository.0.path(), &command);
    assert_eq!(again.status.code(), Some(0), "{}", text(&again.stdout));
}

/// The machine of GitHub that is like this one.
fn machine() -> &'static str {
    match cfg!(target_arch = "aarch64") {
        true => "ubuntu-24.04-arm",
        false => "ubuntu-24.04",
    }
}

/// Owner and name of this project's repository.
fn home() -> String {
    let home = env!("CARGO_PKG_REPOSITORY").trim_start_matches("https://github.com/");
    if home.is_empty() {
        "OWNER/heapmin".into()
    } else {
        home.into()
    }
}

fn version() -> String {
    format!(
        "v{}.{}",
        env!("CARGO_PKG_VERSION_MAJOR"),
        env!("CARGO_PKG_VERSION_MINOR")
    )
}

/// A check of the same library with `--update` writes the same file.
#[test]
fn the_expected_results_are_those_of_check_update() {
    let repository = Repository::new();
    done(&repository.init(&["libmine.so", "--ci", "none", "--expected", "one.toml"]));
    let check = ["check", "libmine.so", "--expected", "two.toml", "--update"];
    heapmin_in(repository.0.path(), &[&check, ONLY].concat());
    let entries = |name: &str| {
        let text = repository.read(name);
        // What was observed varies from run to run.
        let lines = text.lines().filter(|line| !line.starts_with("# observed"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(entries("one.toml"), entries("two.toml"));
    assert_eq!(repository.written(), names(&["one.toml", "two.toml"]));
}

#[rstest]
#[case::no_pipeline(false)]
#[case::with_a_pipeline(true)]
fn the_jobs_for_gitlab_leave_the_pipeline_alone(#[case] has_pipeline: bool) {
    let repository = Repository::new();
    if has_pipeline {
        fs::write(repository.path(".gitlab-ci.yml"), "theirs").unwrap();
    }
    let printed = done(&repository.init(&["libmine.so", "--ci", "gitlab"]));
    let jobs = ".gitlab/heapmin-jobs.yml";
    assert_eq!(
        repository.written(),
        names(&["expected.toml", jobs, ".gitlab-ci.yml"])
    );
    let pipeline = repository.read(".gitlab-ci.yml");
    let include = format!("include:\n  - local: {jobs}\n");
    assert_eq!(pipeline.ends_with(&include), !has_pipeline, "{pipeline}");
    assert_eq!(pipeline == "theirs", has_pipeline);
    assert_eq!(
        printed.contains("add\n    include:"),
        has_pipeline,
        "{printed}"
    );
    let text = repository.read(jobs);
    for part in [
        "heap-library:\n  stage: build\n  image: rust:1-bookworm\n  script:\n    - make\n",
        "    paths:\n      - libmine.so\n",
        "heap:\n  extends: .heapmin\n  needs: [heap-library]\n  variables:\n",
        "    HEAPMIN_LIBRARIES: libmine.so\n    HEAPMIN_EXPECTED: expected.toml\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

/// Each input that a workflow gives to the action, and each variable of the template, is one.
#[test]
fn the_action_and_the_template_have_the_inputs_that_are_written() {
    let repository = Repository::new();
    let more = ["--profile", "ucrtbase", "--env", "A=b", "--preload"];
    let read = |file: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
        fs::read_to_string(path).expect("it is part of the repository")
    };
    for (ci, file, ours, margin) in [
        ("github", GITHUB, ".github/actions/check/action.yml", 10),
        (
            "gitlab",
            ".gitlab/heapmin-jobs.yml",
            ".gitlab/heapmin.yml",
            4,
        ),
    ] {
        let named = ["libmine.so", "--ci", ci, "--force"];
        done(&repository.init(&[&named[..], &more].concat()));
        let text = repository.read(file);
        let (_, after) = text.split_once("expected").expect("an input");
        let ours = read(ours);
        let indent = " ".repeat(margin);
        let inputs = text
            .lines()
            .filter_map(|line| line.strip_prefix(&indent)?.split_once(':'));
        let inputs: Vec<&str> = inputs
            .map(|(name, _)| name)
            .filter(|it| !it.starts_with(' '))
            .collect();
        assert!(inputs.len() >= 3, "{text}{after}");
        for input in inputs {
            assert!(ours.contains(&format!("  {input}:")), "{input} in\n{text}");
        }
        for word in ["--env", "A=b", "--preload", "ucrtbase"] {
            assert!(text.contains(word), "{word} in\n{text}");
        }
    }
}

#[test]
fn paths_are_seen_from_the_root_of_the_repository() {
    let repository = Repository::new();
    repository.put("build/a b.so");
    fs::create_dir(repository.path("deps")).unwrap();
    let more = [
        "--library-path",
        "../deps",
        "--expected",
        "../tests/heap.toml",
    ];
    let printed = done(&repository.init_in("build", &[&["a b.so"], &more[..]].concat()));
    assert_eq!(repository.written(), names(&["tests/heap.toml", GITHUB]));
    let text = repository.read(GITHUB);
    let inputs = "          libraries: build/a b.so
          expected: tests/heap.toml
          options: |
            --only
            heapmin.exported
            --only
            heapmin.success-keeps-errno
            --library-path
            deps
";
    assert!(text.ends_with(inputs), "{text}");
    assert!(printed.starts_with("in "), "{printed}");
    let command = "heapmin check --expected tests/heap.toml --only heapmin.exported --only \
                   heapmin.success-keeps-errno --library-path deps 'build/a b.so'";
    assert!(printed.ends_with(&format!("  {command}\n")), "{printed}");
}

#[test]
fn a_library_outside_the_repository_keeps_its_whole_path_and_is_not_built() {
    let (repository, other) = (Repository::new(), Repository::new());
    let library = other.path("libmine.so").canonicalize().unwrap();
    let library = library.to_str().unwrap();
    let printed = done(&repository.init(&[library]));
    let text = repository.read(GITHUB);
    assert!(text.contains(&format!("libraries: {library}\n")), "{text}");
    assert!(!text.contains("run: make"), "{text}");
    assert!(
        printed.contains(&format!("- the machine has {library}\n")),
        "{printed}"
    );
}

#[test]
fn several_libraries_and_names_are_listed_line_by_line() {
    let repository = Repository::new();
    // A file with the name of a known library.
    repository.put("glibc");
    repository.put("build/other.so");
    done(&repository.init(&["./glibc", "build/other.so"]));
    let text = repository.read(GITHUB);
    let list = "          libraries: |\n            ./glibc\n            build/other.so\n";
    assert!(text.contains(list), "{text}");
    let expected = repository.read("expected.toml");
    assert!(expected.contains("candidate = \"other.so\""), "{expected}");
}

#[test]
fn without_a_name_the_only_library_of_the_folder_is_taken() {
    let repository = Repository::new();
    fs::write(repository.path("other.so"), "not a library").unwrap();
    done(&repository.init(&["--ci", "none"]));
    assert_eq!(repository.written(), names(&["expected.toml"]));
    repository.put("second.so");
    let several = repository.init(&["--ci", "none", "--force"]);
    is_refused(
        &several,
        &[
            "several libraries here",
            "libmine.so, second.so",
            "name those",
        ],
    );
    is_refused(
        &repository.init_in("build", &[]),
        &["no library in this folder", "name the library"],
    );
}

#[test]
fn a_file_that_exists_is_not_replaced_without_force() {
    for existing in ["expected.toml", GITHUB] {
        let repository = Repository::new();
        fs::create_dir_all(repository.path(existing).parent().unwrap()).unwrap();
        fs::write(repository.path(existing), "theirs").unwrap();
        let output = repository.init(&["libmine.so"]);
        is_refused(&output, &[&format!("{existing} exists already"), "--force"]);
        assert_eq!(
            repository.written(),
            names(&[existing]),
            "nothing else is written"
        );
        assert_eq!(repository.read(existing), "theirs");
        done(&repository.init(&["libmine.so", "--force"]));
        assert_ne!(repository.read(existing), "theirs");
    }
}

#[test]
fn a_library_that_cannot_be_loaded_leaves_no_file() {
    let repository = Repository::new();
    fs::write(repository.path("text.so"), "int x;\n").unwrap();
    for (name, words) in [
        ("text.so", "it is a text file"),
        ("./libmien.so", "did you mean"),
        ("ucrtbsae", "did you mean ucrtbase?"),
    ] {
        let output = repository.init(&[name]);
        is_refused(&output, &[words]);
        assert!(
            text(&output.stderr).starts_with("error: "),
            "{}",
            text(&output.stderr)
        );
        assert_eq!(repository.written(), names(&[]));
    }
}

#[test]
fn a_check_that_no_list_lets_through_leaves_no_file() {
    let repository = Repository::new();
    repository.put_candidate("decorated", "other.so");
    let init = ["init", "other.so", "--only", "_heapmin"];
    let output = heapmin_in(repository.0.path(), &init);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("this run says nothing about _heapmin"),
        "{said}"
    );
    assert!(said.ends_with("; nothing was written\n"), "{said}");
    assert_eq!(repository.written(), names(&[]));
}

/// Root may write in any folder, so the folder is one in which nothing can be made.
#[test]
fn a_folder_that_cannot_be_written_is_noticed_before_the_check() {
    let repository = Repository::new();
    let output = repository.init(&["libmine.so", "--expected", "Makefile/expected.toml"]);
    is_refused(&output, &["Makefile/expected.toml cannot be written"]);
    let outside = repository.init(&["libmine.so", "--expected", "/dev/shm/e.toml"]);
    is_refused(&outside, &["is not a file in the repository"]);
    fs::write(repository.path("old.toml"), "").unwrap();
    let read_only = fs::Permissions::from_mode(0o444);
    fs::set_permissions(repository.path("old.toml"), read_only).unwrap();
    let output = repository.init(&["libmine.so", "--expected", "old.toml", "--force"]);
    is_refused(&output, &["old.toml cannot be written"]);
    assert_eq!(repository.written(), names(&["old.toml"]));
}

#[test]
fn a_name_that_a_workflow_cannot_have_is_refused() {
    let repository = Repository::new();
    repository.put("a\nb.so");
    is_refused(
        &repository.init(&["./a\nb.so"]),
        &["a workflow cannot have the name ./a\\nb.so"],
    );
    is_refused(
        &repository.init(&["libmine.so", "--env", "A=b\nc"]),
        &["A=b\\nc has a character that a workflow cannot have"],
    );
}

#[test]
fn quiet_writes_the_files_and_says_nothing() {
    let repository = Repository::new();
    assert_eq!(done(&repository.init(&["libmine.so", "--quiet"])), "");
    assert_eq!(repository.written(), names(&["expected.toml", GITHUB]));
}

/// Each with its arguments.
#[rstest]
#[case::the_library(&["--expected", "libmine.so", "./libmine.so"], "is a file that the check reads")]
#[case::a_profile(&["--expected", "mine.toml", "--profile", "mine.toml", "./libmine.so"], "is a file that the check reads")]
#[case::a_link(&["--expected", "link.toml", "./libmine.so"], "it is a link")]
#[case::a_way_out(&["--expected", "new/../../out.toml", "./libmine.so"], "is not a file in the repository")]
fn force_replaces_no_file_that_the_user_did_not_mean(
    #[case] arguments: &[&str],
    #[case] reason: &str,
) {
    let repository = Repository::new();
    let library = fs::read(repository.path("libmine.so")).unwrap();
    fs::write(repository.path("mine.toml"), "[profile]\nname = \"mine\"\n").unwrap();
    std::os::unix::fs::symlink("mine.toml", repository.path("link.toml")).unwrap();
    is_refused(
        &repository.init(&[&["--force"], arguments].concat()),
        &[reason],
    );
    assert_eq!(fs::read(repository.path("libmine.so")).unwrap(), library);
    assert!(repository.path("link.toml").is_symlink());
}

#[test]
fn a_file_whose_name_begins_like_an_option_is_a_file_in_the_printed_command() {
    let repository = Repository::new();
    fs::copy(repository.path("libmine.so"), repository.path("-x.so")).unwrap();
    let printed = done(&repository.init(&["--ci", "none", "--", "-x.so"]));
    assert!(printed.contains(" ./-x.so"), "{printed}");
}
