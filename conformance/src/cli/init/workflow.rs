//! The text of a workflow for a CI system.

use std::fmt::Write;

/// The workflow for GitHub, below the root of a repository.
pub(super) const GITHUB: &str = ".github/workflows/heapmin.yml";
/// The jobs for GitLab.
pub(super) const GITLAB: &str = ".gitlab/heapmin-jobs.yml";
/// The file in which GitLab looks for jobs.
pub(super) const PIPELINE: &str = ".gitlab-ci.yml";

/// The place of this project.
pub(super) const HOME: &str = match env!("CARGO_PKG_REPOSITORY").is_empty() {
    true => "https://github.com/OWNER/heapmin",
    false => env!("CARGO_PKG_REPOSITORY"),
};
/// The tag of this version and those that are compatible with it.
pub(super) const VERSION: &str = concat!(
    "v",
    env!("CARGO_PKG_VERSION_MAJOR"),
    ".",
    env!("CARGO_PKG_VERSION_MINOR")
);

/// What a workflow checks. Paths are as seen from the root of the repository.
pub(super) struct Workflow {
    pub(super) libraries: Vec<String>,
    pub(super) expected: String,
    pub(super) profile: Option<String>,
    /// More options of `heapmin check`, word by word.
    pub(super) options: Vec<String>,
    /// The command that builds the repository.
    pub(super) build: Option<&'static str>,
}

impl Workflow {
    /// The libraries that the repository builds.
    pub(super) fn built(&self) -> Vec<&str> {
        let libraries = self.libraries.iter().map(String::as_str);
        let is_inside = |name: &&str| !is_absolute(name) && (name.contains(['/', '.']));
        libraries.filter(is_inside).collect()
    }

    /// The command of the step that builds the library; `None` if there is nothing to build.
    pub(super) fn build_step(&self) -> Option<&'static str> {
        let unknown = "echo 'write the command that builds the library here' && exit 1";
        (!self.built().is_empty()).then(|| self.build.unwrap_or(unknown))
    }

    /// The text of [`GITHUB`].
    pub(super) fn github(&self) -> String {
        let mut text = format!(
            "# Written by `heapmin init`. Checks the heap of the library, and fails if a result is not
# as {} says.
name: heap
on:
  push:
  pull_request:
permissions:
  contents: read

jobs:
  heap:
    runs-on: {}
    steps:
      - uses: actions/checkout@v4
",
            self.expected,
            machine()
        );
        if let Some(command) = self.build_step() {
            writeln!(text, "      - run: {}", scalar(command)).expect("writing to a string");
        }
        let owner = HOME.trim_start_matches("https://github.com/");
        write!(
            text,
            "      - uses: {owner}/.github/actions/check@{VERSION}\n        with:\n"
        )
        .expect("writing to a string");
        // GitHub would replace what it takes for an expression.
        let safe = |text: &str| text.replace("${{", "${{ '${{' }}");
        let libraries = safe(&self.libraries.join("\n"));
        let inputs = [
            ("libraries", Some(libraries)),
            ("expected", Some(safe(&self.expected))),
            ("profile", self.profile.as_deref().map(safe)),
            (
                "options",
                (!self.options.is_empty()).then(|| safe(&self.options.join("\n"))),
            ),
        ];
        for (name, value) in inputs {
            if let Some(value) = value {
                entry(&mut text, 10, name, &value);
            }
        }
        text
    }

    /// The text of [`GITLAB`].
    pub(super) fn gitlab(&self) -> String {
        let template = match HOME.strip_prefix("https://github.com/") {
            Some(name) => {
                format!("https://raw.githubusercontent.com/{name}/{VERSION}/.gitlab/heapmin.yml")
            }
            None => format!("{HOME}/-/raw/{VERSION}/.gitlab/heapmin.yml"),
        };
        let mut text = format!(
            "# Written by `heapmin init`. Checks the heap of the library, and fails if a result is not
# as {} says.
include:
  - remote: {template}

",
            self.expected
        );
        // GitLab would replace what it takes for a variable.
        let safe = |text: &str| text.replace('$', "$$");
        let built = self.built();
        if let Some(command) = self.build_step() {
            // The image of the template: the library must find the same C library there.
            write!(
                text,
                "heap-library:
  stage: build
  image: rust:1-bookworm
  script:
    - {}
  artifacts:
    paths:
",
                scalar(command)
            )
            .expect("writing to a string");
            for library in built {
                writeln!(text, "      - {}", scalar(library)).expect("writing to a string");
            }
            text += "\n";
        }
        text += "heap:\n  extends: .heapmin\n";
        if self.build_step().is_some() {
            text += "  needs: [heap-library]\n";
        }
        text += "  variables:\n";
        let mut options = self.options.clone();
        if let Some(profile) = &self.profile {
            options.extend(["--profile".into(), profile.clone()]);
        }
        entry(
            &mut text,
            4,
            "HEAPMIN_LIBRARIES",
            &safe(&self.libraries.join("\n")),
        );
        entry(&mut text, 4, "HEAPMIN_EXPECTED", &safe(&self.expected));
        if !options.is_empty() {
            entry(&mut text, 4, "HEAPMIN_OPTIONS", &safe(&options.join("\n")));
        }
        text
    }
}

/// The text of [`PIPELINE`].
pub(super) fn pipeline() -> String {
    format!("# Written by `heapmin init`.\ninclude:\n  - local: {GITLAB}\n")
}

/// GitHub's machine that is like this one.
pub(super) fn machine() -> &'static str {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("windows", _) => "windows-2025",
        ("macos", _) => "macos-15",
        (_, "aarch64") => "ubuntu-24.04-arm",
        _ => "ubuntu-24.04",
    }
}

/// Whether a path is absolute, on Windows or elsewhere.
fn is_absolute(path: &str) -> bool {
    path.starts_with(['/', '\\']) || path.as_bytes().get(1) == Some(&b':')
}

/// Writes `name: value`, each line of the value on a line of its own.
fn entry(text: &mut String, indent: usize, name: &str, value: &str) {
    let margin = " ".repeat(indent);
    let written = match value.contains('\n') {
        false => writeln!(text, "{margin}{name}: {}", scalar(value)),
        true => {
            let lines = value.lines().map(|line| format!("\n{margin}  {line}"));
            writeln!(text, "{margin}{name}: |{}", lines.collect::<String>())
        }
    };
    written.expect("writing to a string");
}

/// A text as a value of YAML, in quotes if it could mean something else.
fn scalar(text: &str) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || " _./-+=".contains(it);
    let begins = text.starts_with(|it: char| it.is_ascii_alphabetic() || "./".contains(it));
    let is_word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let is_number = text.parse::<f64>().is_ok();
    match begins && text.chars().all(is_plain) && !is_word.contains(&text) && !is_number {
        true => text.to_owned(),
        // A string of JSON is one of YAML.
        false => serde_json::to_string(text).expect("a string is plain data"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn workflow(libraries: &[&str]) -> Workflow {
        Workflow {
            libraries: libraries.iter().map(|it| (*it).to_owned()).collect(),
            expected: "expected.toml".into(),
            profile: None,
            options: Vec::new(),
            build: Some("make"),
        }
    }

    #[rstest]
    #[case::plain("build/libmine.so", "build/libmine.so")]
    #[case::space("my heap/lib mine.so", "my heap/lib mine.so")]
    #[case::comment("a #b.so", r#""a #b.so""#)]
    #[case::mapping("a: b.so", r#""a: b.so""#)]
    #[case::quotes("it's \"x\".so", r#""it's \"x\".so""#)]
    #[case::hyphen("-x.so", r#""-x.so""#)]
    #[case::number("1.5", r#""1.5""#)]
    #[case::dots(".5", r#"".5""#)]
    #[case::word("true", r#""true""#)]
    #[case::windows(r"C:\heap\mine.dll", r#""C:\\heap\\mine.dll""#)]
    #[case::two_commands("cmake -B b && make", r#""cmake -B b && make""#)]
    fn a_value_has_quotes_if_it_could_mean_something_else(
        #[case] text: &str,
        #[case] wanted: &str,
    ) {
        assert_eq!(scalar(text), wanted);
    }

    #[rstest]
    #[case::inside(&["libmine.so"], &["libmine.so"])]
    #[case::below(&["build/mine"], &["build/mine"])]
    #[case::outside(&["/usr/lib/libx.so", r"C:\x.dll", r"\\server\x.dll"], &[])]
    #[case::by_name(&["ucrtbase", "msvcr120:x86"], &[])]
    fn only_libraries_of_the_repository_are_built(
        #[case] libraries: &[&str],
        #[case] built: &[&str],
    ) {
        let workflow = workflow(libraries);
        assert_eq!(workflow.built(), built);
        assert_eq!(workflow.build_step().is_some(), !built.is_empty());
        assert_eq!(workflow.github().contains("run: make"), !built.is_empty());
        assert_eq!(workflow.gitlab().contains("needs:"), !built.is_empty());
    }

    #[test]
    fn a_workflow_that_knows_no_command_fails_until_it_has_one() {
        let workflow = Workflow {
            build: None,
            ..workflow(&["libmine.so"])
        };
        assert!(workflow.build_step().unwrap().ends_with("exit 1"));
    }

    #[test]
    fn names_are_no_expressions_and_no_variables() {
        let workflow = workflow(&["${{ github.token }}.so"]);
        let github = workflow.github();
        assert!(
            github.contains("\"${{ '${{' }} github.token }}.so\""),
            "{github}"
        );
        let gitlab = workflow.gitlab();
        assert!(gitlab.contains("\"$${{ github.token }}.so\""), "{gitlab}");
    }
}
