//! For wrong input, the message says what is wrong and how to fix it, and the exit
//! status is 2.
#![cfg(target_os = "linux")]

mod program;

use program::{heapmin, heapmin_in};
use rstest::rstest;
use std::path::PathBuf;
use std::process::Command;

/// The path of a new file with this name and these bytes.
fn file(name: &str, bytes: &[u8]) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, bytes).expect("the test's folder can be written");
    path.to_str().expect("a path in UTF-8").to_owned()
}

/// The bytes of a small candidate.
fn small_candidate() -> Vec<u8> {
    let (_, path) = heapmin_test_libraries::CANDIDATES[0];
    std::fs::read(path).expect("the candidate was built")
}

/// The headers of an ELF library for 32-bit x86.
fn elf32() -> Vec<u8> {
    let mut bytes = vec![0; 52];
    bytes[..8].copy_from_slice(b"\x7fELF\x01\x01\x01\x00");
    bytes[16] = 3; // a shared library
    bytes[18] = 3; // for x86
    bytes[20] = 1;
    bytes[40] = 52; // size of this header
    bytes[42] = 32; // of a program header
    bytes[46] = 40; // of a section header
    bytes
}

/// The headers of a PE library for this machine.
fn pe(machine: u16, magic: u16) -> Vec<u8> {
    let optional_size: u16 = if magic == 0x10B { 224 } else { 240 };
    let mut bytes = vec![0; 0x80 + 24 + usize::from(optional_size) + 64];
    bytes[..2].copy_from_slice(b"MZ");
    bytes[0x3C] = 0x80;
    bytes[0x80..0x84].copy_from_slice(b"PE\0\0");
    bytes[0x84..0x86].copy_from_slice(&machine.to_le_bytes());
    bytes[0x94..0x96].copy_from_slice(&optional_size.to_le_bytes());
    bytes[0x96..0x98].copy_from_slice(&0x2022u16.to_le_bytes()); // a DLL
    bytes[0x98..0x9A].copy_from_slice(&magic.to_le_bytes());
    let directories = 0x98 + usize::from(optional_size) - 16 * 8 - 4;
    bytes[directories] = 16;
    bytes[0x86] = 1; // a section, of no size
    bytes
}

/// The header of a Mach-O library for arm64.
fn macho() -> Vec<u8> {
    let words: [u32; 8] = [0xFEED_FACF, 0x0100_000C, 0, 6, 0, 0, 0, 0];
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

#[rstest]
#[case::no_such_file("no/such/file.so".into(), "no such file", "check the path")]
#[case::directory(env!("CARGO_TARGET_TMPDIR").into(), "is a directory", "name the library file")]
#[case::empty(file("empty.so", b""), "is empty", "again")]
#[case::text(
    file("text.so", b"int _heapmin(void);\n"),
    "it is a text file",
    "name a .so, .dll"
)]
#[case::executable(env!("CARGO_BIN_EXE_heapmin").into(), "it is an executable", "name a .so, .dll")]
#[case::cut(file("cut.so", &small_candidate()[..2000]), "damaged", "name a .so, .dll")]
#[case::elf_x86(file("elf32.so", &elf32()), "exports nothing", "export _heapmin")]
#[case::pe_x86(file("x86.dll", &pe(0x14C, 0x10B)), "exports nothing", "export _heapmin")]
#[case::pe_without_exports(file("none.dll", &pe(0x8664, 0x20B)), "exports nothing", "export _heapmin")]
#[case::macho(file("lib.dylib", &macho()), "exports nothing", "export _heapmin")]
#[case::profile("ucrtbsae".into(), "no profile is called ucrtbsae", "did you mean ucrtbase?")]
#[cfg_attr(not(target_arch = "x86_64"), ignore = "the files are for x86-64")]
fn a_wrong_candidate_is_refused_with_a_reason_and_a_fix(
    #[case] candidate: String,
    #[case] problem: &str,
    #[case] mend: &str,
) {
    let output = heapmin(&["check", &candidate]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(problem), "{said}");
    assert!(said.contains(mend), "{said}");
    assert!(said.contains(&candidate), "{said}");
}

#[test]
fn a_library_for_a_processor_that_nothing_here_runs_is_refused() {
    let mut bytes = small_candidate();
    bytes[18] = 243; // RISC-V
    let output = heapmin(&["check", &file("riscv.so", &bytes)]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("for riscv64, and "), "{said}");
    // The latter if the emulators are installed.
    let mends = ["install an emulator", "build heapmin for riscv64"];
    assert!(mends.iter().any(|mend| said.contains(mend)), "{said}");
}

#[rstest]
#[case(&["check", "--only", "heapmin.releses-memory"], "did you mean heapmin.releases-memory?")]
#[case(&["check", "--skip", "heapmin.exportet"], "did you mean heapmin.exported?")]
#[case(&["check", "--skip", "*"], "remove one of them")]
#[case(&["check", "--profile", "msvcr12"], "did you mean msvcr120?")]
#[case(&["check", "--profile", "no/such.toml"], "check the path")]
#[case(&["check", "--expected", "no/such.toml"], "check the path")]
#[case(&["check", "--output", "/no/such/folder/report"], "check the path")]
#[case(&["check", "--jobs", "0"], "--jobs")]
#[case(&["check", "--timeout", "0"], "--timeout")]
#[case(&["check", "--format", "xml"], "--format")]
#[case(&["explain", "heapmin.exportd"], "did you mean heapmin.exported?")]
#[case(&["probe"], "use `heapmin check`")]
#[case(&["chekc"], "a similar subcommand exists: 'check'")]
#[case(&["check", "--formt", "json"], "a similar argument exists: '--format'")]
#[case(&["check", "--format", "jsn"], "a similar value exists: 'json'")]
#[case(&["check", "--must-judge", "shoud"], "a similar value exists: 'should'")]
#[case(&["check", "--report", "jsn=run.json"], "did you mean json?")]
#[case(&["check", "--only", "hepmin"], "did you mean heapmin?")]
#[case(&["check", "--only", "releases-memory"], "did you mean heapmin.releases-memory?")]
#[case(&["check", "--skip", "_heapmim"], "did you mean _heapmin?")]
#[case(&["check", "--promises", "2026.2"], "did you mean 2026.1?")]
#[case(&["check", "UCRTBASE"], "did you mean ucrtbase?")]
#[case(&["check", "reference:x68"], "did you mean x86?")]
#[case(&["diff", "reference", "reference", "--", "--onyl", "x"], "a similar argument exists: '--only'")]
#[case(&["check", "--profile", "UCRTBASE"], "did you mean ucrtbase?")]
#[case(&["check", "--fault", "unsuported"], "a similar value exists: 'unsupported'")]
#[case(&["list", "--changed-since", "2026.11"], "did you mean 2026.1?")]
#[case(&["explain", "_hepmin"], "did you mean _heapmin?")]
#[case(&["repro", "heapmin.exportet", "reference"], "did you mean heapmin.exported?")]
#[case(&["repro", "heapmin", "reference"], "name one of them, such as heapmin.exported")]
#[case(&["repro", "heapmin.exported", "reference", "--case", "lod"], "did you mean load?")]
#[case(&["repro", "heapmin.exported", "referense"], "did you mean reference?")]
#[case(&["debug", "heapmin.exportet", "reference"], "did you mean heapmin.exported?")]
#[case(&["debug", "heapmin", "referense"], "did you mean reference?")]
#[case(&["debug", "heapmin", "reference", "--debugger", "gdp"], "a similar value exists: 'gdb'")]
#[case(&["bisect", "heapmin.exportet", "a.so", "b.so"], "did you mean heapmin.exported?")]
#[case(&["fuzz", "reference", "--without", "malocc"], "did you mean malloc?")]
#[case(&["fuzz", "reference", "--against", "referense"], "did you mean reference?")]
#[case(&["bench", "--only", "smal"], "did you mean small?")]
#[case(&["completions", "zs"], "a similar value exists: 'zsh'")]
#[case(&["init", "--ci", "githb"], "a similar value exists: 'github'")]
fn a_wrong_argument_is_refused_with_a_fix(#[case] arguments: &[&str], #[case] mend: &str) {
    let output = heapmin(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(mend), "{said}");
    assert!(said.len() < 600, "a message is short: {said}");
}

/// A misspelt path, in each place that takes one: the file beside it is named.
#[rstest]
#[case(&["check", "FOLDER/libmien.so"], "libmine.so")]
#[case(&["check", "--heap", "FOLDER/libmien.so", "reference"], "libmine.so")]
#[case(&["check", "--profile", "FOLDER/mien.toml"], "mine.toml")]
#[case(&["check", "--expected", "FOLDER/mien.toml"], "mine.toml")]
#[case(&["check", "--library-path", "FOLDER/depps"], "deps")]
#[case(&["init", "FOLDER/libmien.so", "--ci", "none", "--expected", "new.toml"], "libmine.so")]
#[case(&["report", "FOLDER/rnu.json"], "run.json")]
#[case(&["merge", "FOLDER/rnu.json"], "run.json")]
#[case(&["known", "FOLDER/rnu.json"], "run.json")]
#[case(&["site", "FOLDER/rnu.json"], "run.json")]
#[case(&["diff", "FOLDER/rnu.json", "FOLDER/run.json"], "run.json")]
#[case(&["diff", "FOLDER/libmien.so", "FOLDER/libmine.so"], "libmine.so")]
#[case(&["repro", "heapmin.exported", "FOLDER/libmien.so"], "libmine.so")]
#[case(&["repro", "--script", "FOLDER/fnid.txt", "reference"], "find.txt")]
#[case(&["debug", "heapmin.exported", "FOLDER/libmien.so"], "libmine.so")]
#[case(&["fuzz", "FOLDER/libmien.so"], "libmine.so")]
#[case(&["fuzz", "reference", "--replay", "FOLDER/fnid.txt"], "find.txt")]
#[case(&["bench", "FOLDER/libmien.so"], "libmine.so")]
#[case(&["bench", "reference", "--trace", "FOLDER/fnid.txt"], "find.txt")]
fn a_misspelt_path_gets_the_name_of_the_file_beside_it(
    #[case] arguments: &[&str],
    #[case] near: &str,
) {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["libmine.so", "mine.toml", "run.json", "find.txt"] {
        std::fs::write(folder.path().join(name), "").expect("it can be written");
    }
    std::fs::create_dir(folder.path().join("deps")).expect("it can be made");
    let place = folder.path().to_str().expect("a path in UTF-8");
    let arguments = arguments.iter().map(|it| it.replace("FOLDER", place));
    let arguments: Vec<String> = arguments.collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = heapmin_in(folder.path(), &arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    let mend = format!("did you mean {place}/{near}?");
    assert!(said.contains(&mend), "{mend}\n{said}");
}

#[test]
fn a_library_of_this_folder_is_suggested_for_its_bare_name() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("mycrt.so"), "").expect("it can be written");
    let output = heapmin_in(folder.path(), &["check", "mycrt"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("did you mean mycrt.so?"), "{said}");
}

#[rstest]
#[case::clause("clause = 'heapmin.exportet'", "did you mean heapmin.exported?")]
#[case::case("clause = 'heapmin.exported'\ncase = 'lod'", "did you mean load?")]
#[case::verdict(
    "clause = 'heapmin.exported'\nverdict = 'bad'",
    "the verdict can be fail, crash or timeout"
)]
fn a_wrong_known_deviation_is_refused_with_a_fix(#[case] entry: &str, #[case] mend: &str) {
    let name = format!("expected-{}.toml", mend.len());
    let expected = file(&name, format!("[[known]]\nwhy = 'w'\n{entry}\n").as_bytes());
    let output = heapmin(&["check", "--expected", &expected]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(&expected) && said.contains(mend), "{said}");
}

#[test]
fn a_windows_library_is_refused_if_wine_is_missing() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heapmin"));
    let output = command
        .args(["check", "ucrtbase"])
        .env("PATH", "/nowhere")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("wine was not found; install Wine"), "{said}");
}

#[test]
fn the_other_candidates_are_checked_if_one_is_wrong() {
    let output = heapmin(&[
        "check",
        "no/such.so",
        "reference",
        "--only",
        "heapmin.exported",
    ]);
    assert_eq!(output.status.code(), Some(2));
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(report.contains("reference: 1 pass, 0 fail"), "{report}");
}
