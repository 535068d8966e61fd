//! What the version resource of a Windows library decides: its profile, and the manifest with
//! which a library of a side-by-side assembly is loaded. The DLLs are made here with MinGW.
//!
//! Without MinGW, or without Wine and the Windows build of this program, the tests are skipped.
//! With HEAPMIN_REQUIRE=all they fail instead.
#![cfg(target_os = "linux")]

mod required;

use libtest_mimic::{Arguments, Failed, Trial};
use required::is_required;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

const COMPILER: &str = "x86_64-w64-mingw32-gcc";
const COMPILER_OF_RESOURCES: &str = "x86_64-w64-mingw32-windres";

fn main() -> ExitCode {
    let needs_wine = wine_is_missing().or_else(mingw_is_missing);
    let trials = vec![
        trial("renamed", renamed, needs_wine.clone()),
        trial("stub", stub, mingw_is_missing()),
        trial("side-by-side", side_by_side, needs_wine.clone()),
        trial("side-by-side-by-path", by_path, needs_wine),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A test, if nothing that it needs is missing here.
fn trial(name: &'static str, test: fn() -> Result<(), Failed>, missing: Option<String>) -> Trial {
    let Some(missing) = missing else {
        return Trial::test(name, test);
    };
    if is_required("all") {
        return Trial::test(name, || Err(missing.into()));
    }
    eprintln!("skipped: {name}: {missing}");
    Trial::test(name, || Ok(())).with_ignored_flag(true)
}

fn mingw_is_missing() -> Option<String> {
    let is_missing = |program: &&str| Command::new(program).arg("--version").output().is_err();
    let missing = [COMPILER, COMPILER_OF_RESOURCES]
        .into_iter()
        .find(is_missing)?;
    Some(format!(
        "{missing} was not found; install it (Debian: `apt-get install gcc-mingw-w64-x86-64`)"
    ))
}

fn wine_is_missing() -> Option<String> {
    let output = heapmin(&["check", "reference-dll", "--only", "heapmin.exported"]);
    let output = output.expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code() != Some(0)).then_some(said)
}

fn heapmin(arguments: &[&str]) -> std::io::Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heapmin"));
    command.args(arguments).output()
}

/// A DLL with the sound heap of fixtures/test-libraries/builds, or with no exports.
struct Dll<'a> {
    file_name: &'a str,
    original_name: &'a str,
    has_heap: bool,
    refuses_paths: bool,
}

impl Dll<'_> {
    fn make(&self, folder: &Path) -> Result<PathBuf, Failed> {
        let libraries = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/test-libraries");
        let (resource, object) = (folder.join("version.rc"), folder.join("version.o"));
        let text = format!(
            "1 VERSIONINFO FILEVERSION 9,0,30729,1\nBEGIN\nBLOCK \"StringFileInfo\"\nBEGIN\n\
             BLOCK \"040904E4\"\nBEGIN\nVALUE \"OriginalFilename\", \"{}\"\nEND\nEND\nEND\n",
            self.original_name
        );
        std::fs::write(&resource, text)?;
        let mut compile = Command::new(COMPILER_OF_RESOURCES);
        succeed(compile.arg(&resource).arg(&object))?;
        let output = folder.join(self.file_name);
        let mut link = Command::new(COMPILER);
        link.current_dir(libraries).arg("-o").arg(&output);
        link.args(["-shared", "-static-libgcc"]).arg(&object);
        if self.has_heap {
            link.args(["-fno-builtin", "-Ibuilds/windows", "builds/heap.c"]);
            link.arg("builds/windows/heap.def");
        }
        if self.refuses_paths {
            link.arg("builds/windows/assembly.c");
        }
        succeed(&mut link)?;
        Ok(output)
    }
}

fn succeed(command: &mut Command) -> Result<(), Failed> {
    let output = command.output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned().into()),
    }
}

/// The report about a DLL, and what the command said.
fn check(path: &Path, arguments: &[&str]) -> Result<(Value, String), Failed> {
    let path = path.to_string_lossy();
    let output = heapmin(&[&["check", &*path, "--only", "heapmin.*"], arguments].concat())?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_default();
    Ok((report, said))
}

fn renamed() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let dll = Dll {
        file_name: "msvcr100.dll",
        original_name: "MSVCR100_CLR0400.dll",
        has_heap: true,
        refuses_paths: false,
    };
    let path = dll.make(folder.path())?;
    let (report, said) = check(&path, &["--format", "json"])?;
    let candidate = &report["candidates"][0];
    if candidate["profile"] != "msvcr100_clr0400" || candidate["original_name"] != dll.original_name
    {
        return Err(format!("{candidate}; {said}").into());
    }
    let path = path.to_string_lossy();
    let output = heapmin(&["check", &*path, "--only", "heapmin.exported"])?;
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    let line =
        "by its version resource, this file is MSVCR100_CLR0400.dll; the profile is that library's";
    match report.lines().any(|it| it == line) {
        true => Ok(()),
        false => Err(report.into()),
    }
}

fn stub() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let dll = Dll {
        file_name: "msvcr100_clr0400.dll",
        original_name: "VsVersion.dll",
        has_heap: false,
        refuses_paths: false,
    };
    let (_, said) = check(&dll.make(folder.path())?, &[])?;
    let words = ["exports nothing", "empty stub", "ucrtbase_clr0400.dll"];
    match words.iter().all(|word| said.contains(word)) {
        true => Ok(()),
        false => Err(said.into()),
    }
}

const OF_AN_ASSEMBLY: Dll<'_> = Dll {
    file_name: "msvcr90.dll",
    original_name: "MSVCR90.DLL",
    has_heap: true,
    refuses_paths: true,
};

fn side_by_side() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let path = OF_AN_ASSEMBLY.make(folder.path())?;
    let (report, said) = check(&path, &["--format", "json"])?;
    let summary = &report["candidates"][0]["summary"];
    let results = report["candidates"][0]["results"].as_array();
    let exported = results.and_then(|it| it.iter().find(|it| it["clause"] == "heapmin.exported"));
    let place = exported
        .and_then(|it| it["observed"].as_str())
        .unwrap_or_default();
    let is_own = place.ends_with("\\Microsoft.VC90.CRT\\msvcr90.dll");
    match is_own && summary["error"] == 0 && summary["pass"].as_u64() > Some(10) {
        true => Ok(()),
        false => Err(format!("{summary}, {place}; {said}").into()),
    }
}

/// The same DLL under a profile without an assembly: it shows that the loader refuses the path.
fn by_path() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let path = OF_AN_ASSEMBLY.make(folder.path())?;
    let (_, said) = check(&path, &["--profile", "msvcr100"])?;
    match said.contains("the loader rejects it") {
        true => Ok(()),
        false => Err(said.into()),
    }
}
