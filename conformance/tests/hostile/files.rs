//! Files that are hostile before they are loaded: with odd names, with damaged
//! contents, and replaced during a run.

use crate::run::{Run, verdicts};
use heapmin_test_libraries::{MUTANTS, SOUND, candidate};
use libtest_mimic::{Failed, Trial};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Unusual file names.
const NAMES: [(&str, &[u8]); 7] = [
    ("spaces", b"lib of mine .so"),
    ("quotes", b"lib\"of\"'mine'.so"),
    ("a-line-break", b"lib\nof\nmine.so"),
    ("an-escape-sequence", b"lib\x1b[31mred.so"),
    ("no-utf-8", b"lib\xff\xfe.so"),
    ("a-leading-dash", b"-lib.so"),
    ("a-percent-sign", b"lib%s%n.so"),
];

/// Makes a file in a folder, or finds one; returns its path.
type Make = fn(&Path) -> std::io::Result<PathBuf>;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = NAMES
        .iter()
        .map(|(what, name)| Trial::test(format!("name-with::{what}"), || named(name)))
        .collect();
    let refused: [(&str, Make, &str); 5] = [
        ("2-gib-of-nothing", sparse, "has 2048 MiB"),
        (
            "a-library-with-2-gib-of-nothing",
            sparse_library,
            "has 2048 MiB",
        ),
        ("a-symbol-table-outside", symbols_outside, "damaged"),
        ("a-header-cut-off", cut, "not a shared library"),
        ("heapmin-as-data", as_data, "does not export _heapmin"),
    ];
    for (what, make, message) in refused {
        trials.push(Trial::test(format!("refused::{what}"), move || {
            is_refused(make, message)
        }));
    }
    trials.push(Trial::test("replaced-during-the-run", replaced));
    trials
}

/// A sound library passes under this name.
fn named(name: &[u8]) -> Result<(), Failed> {
    let folder = TempDir::new()?;
    let path = folder.path().join(OsStr::from_bytes(name));
    fs::copy(SOUND, &path)?;
    let report = Run::new(&[&path])?.only(&["heapmin.*"]).report()?;
    let results = verdicts(&report["candidates"][0]);
    let is_fine = |verdict: &str| matches!(verdict, "pass" | "unsupported");
    let wrong: Vec<_> = results.iter().filter(|it| !is_fine(&it.verdict)).collect();
    match results.len() > 20 && wrong.is_empty() {
        true => Ok(()),
        false => Err(format!("{results:#?}").into()),
    }
}

/// The command refuses the file with this message, on one line, and with status 2.
fn is_refused(make: Make, message: &str) -> Result<(), Failed> {
    let folder = TempDir::new()?;
    let path = make(folder.path())?;
    let command = Command::new(env!("CARGO_BIN_EXE_heapmin"))
        .arg("check")
        .arg(&path)
        .output()?;
    let stderr = String::from_utf8_lossy(&command.stderr);
    let is_right = command.status.code() == Some(2)
        && stderr.contains(message)
        && stderr.trim_end().lines().count() == 1;
    match is_right {
        true => Ok(()),
        false => Err(format!("{:?}: {stderr}", command.status).into()),
    }
}

fn sparse(folder: &Path) -> std::io::Result<PathBuf> {
    let path = folder.join("sparse.so");
    fs::File::create(&path)?.set_len(2 << 30)?;
    Ok(path)
}

fn sparse_library(folder: &Path) -> std::io::Result<PathBuf> {
    let path = folder.join("sparse.so");
    fs::copy(SOUND, &path)?;
    OpenOptions::new()
        .write(true)
        .open(&path)?
        .set_len(2 << 30)?;
    Ok(path)
}

/// A library whose section headers all point far beyond the end of the file.
fn symbols_outside(folder: &Path) -> std::io::Result<PathBuf> {
    let mut bytes = fs::read(SOUND)?;
    let number = |bytes: &[u8], at: usize, size: usize| {
        let mut value = [0; 8];
        value[..size].copy_from_slice(&bytes[at..at + size]);
        u64::from_le_bytes(value) as usize
    };
    // In the header of a 64-bit ELF file: offset and size of the section headers.
    let (table, size) = (number(&bytes, 0x28, 8), number(&bytes, 0x3A, 2));
    for section in 0..number(&bytes, 0x3C, 2) {
        let offset = table + section * size + 0x18;
        bytes[offset..offset + 8].copy_from_slice(&(1u64 << 40).to_le_bytes());
    }
    let path = folder.join("outside.so");
    fs::write(&path, bytes)?;
    Ok(path)
}

fn cut(folder: &Path) -> std::io::Result<PathBuf> {
    let path = folder.join("cut.so");
    fs::write(&path, &fs::read(SOUND)?[..100])?;
    Ok(path)
}

fn as_data(_: &Path) -> std::io::Result<PathBuf> {
    Ok(candidate("heapmin_is_data").into())
}

/// If the file is replaced during the run, no verdict blames either of the files.
fn replaced() -> Result<(), Failed> {
    let folder = TempDir::new()?;
    let path = folder.path().join("libmine.so");
    fs::copy(SOUND, &path)?;
    let next = folder.path().join("libnext.so");
    fs::copy(MUTANTS[0].path, &next)?;
    let run = Run::new(&[&path])?.arguments(&["--jobs", "1"]);
    let report = run.report_while(|temporary| {
        // The command first makes a folder to test whether it can, before it reads
        // the library. The next are those of the calibration, of the trial, and of the
        // first case.
        let mut seen = HashSet::new();
        let start = Instant::now();
        while seen.len() < 4 {
            if start.elapsed() > Duration::from_secs(60) {
                return Err(io::Error::other("no probe was started"));
            }
            for entry in fs::read_dir(temporary)? {
                seen.insert(entry?.file_name());
            }
            thread::sleep(Duration::from_millis(1));
        }
        fs::rename(&next, &path)
    })?;
    let results = verdicts(&report["candidates"][0]);
    let last = results.last().ok_or("there is no result")?;
    let deviates = |it: &&crate::run::Result| !matches!(&*it.verdict, "pass" | "unsupported");
    let other: Vec<_> = results
        .iter()
        .filter(deviates)
        .filter(|it| it.verdict != "error" || !it.observed.contains("replaced or changed"))
        .collect();
    match last.verdict == "error" && other.is_empty() {
        true => Ok(()),
        false => Err(format!("last: {last:#?}; others: {other:#?}").into()),
    }
}
