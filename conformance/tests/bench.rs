//! The command `heapmin bench`. The tests do not judge times, which depend on the
//! machine.
#![cfg(target_os = "linux")]

mod refused;

use refused::is_refused;
use rstest::rstest;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn bench(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heapmin"));
    command.args(["bench", "--repeat", "1"]).args(arguments);
    command.output().expect("the program starts")
}

fn scratch(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// The figures of one benchmark on the reference alone.
fn figures(name: &str, arguments: &[&str]) -> Value {
    let arguments = [
        &["reference", "--format", "json", "--only", name],
        arguments,
    ]
    .concat();
    let output = bench(&arguments);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("the report is JSON");
    assert_eq!(report["schema"], 1);
    assert_eq!(report["setting"]["candidates"][0]["name"], "reference");
    assert_eq!(report["benches"][0]["name"], name);
    let result = &report["benches"][0]["results"][0];
    assert_eq!(result["candidate"], "reference");
    result["figures"].clone()
}

#[track_caller]
fn median(figures: &Value, name: &str) -> f64 {
    figures[name]["median"].as_f64().expect(name)
}

/// The promises of docs/guide/benchmarks.md on memory; they hold on every machine.
#[rstest]
fn a_release_leaves_at_most_64_kib_over_the_live_pages(
    #[values(
        "small", "mixed", "kilobyte", "medium", "tiny", "small-2", "medium-2", "tiny-2"
    )]
    name: &str,
) {
    let figures = figures(name, &[]);
    assert!(median(&figures, "over_live_kib") <= 64.0, "{figures}");
    let held = median(&figures, "held_mib");
    assert!((128.0..150.0).contains(&held), "{figures}");
    for time in ["work_ms", "release_ms", "release_over_bare", "again_us"] {
        assert!(median(&figures, time) > 0.0, "{time}");
    }
}

/// The act keeps 64 MiB of blocks live.
#[test]
fn a_day_of_traffic_holds_at_most_a_quarter_over_the_live_bytes() {
    let figures = figures("day", &[]);
    let most = median(&figures, "over_live_bytes");
    let allowed = 1.25 + 1.0 / 64.0;
    assert!((1.0..allowed).contains(&most), "{figures}");
}

/// All other figures need live blocks or a place of each block.
#[rstest]
fn a_bench_of_short_lives_measures_its_work_and_a_release(
    #[values("short", "short-2", "handover")] name: &str,
) {
    let figures = figures(name, &[]);
    for time in ["work_ms", "release_ms", "again_us"] {
        assert!(median(&figures, time) > 0.0, "{time}: {figures}");
    }
    assert!(figures["held_mib"].is_null(), "{figures}");
}

#[test]
fn a_recorded_trace_is_replayed() {
    let trace = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../fixtures/trace/sqlite3.trace"
    );
    let figures = figures("trace", &["--trace", trace]);
    assert!(median(&figures, "work_ms") > 0.0);
    assert!(median(&figures, "over_live_kib") <= 64.0, "{figures}");
}

#[test]
fn tables_and_plots_are_written() {
    let folder = scratch("bench-plots");
    let file = folder.join("figures.md");
    let (folder_name, file_name) = (folder.to_str().unwrap(), file.to_str().unwrap());
    let output = bench(&[
        "reference",
        "glibc",
        "--only",
        "size-64",
        "--format",
        "markdown",
        "--output",
        file_name,
        "--plots",
        folder_name,
    ]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let table = std::fs::read_to_string(file).unwrap();
    assert!(
        table.contains("## size-64: 64 MiB of blocks of 64 bytes"),
        "{table}"
    );
    assert!(
        table.contains("\n| reference |") && table.contains("\n| glibc "),
        "{table}"
    );
    // The report shows the version of glibc.
    assert!(table.contains("reference, glibc 2."), "{table}");
    for plot in ["resident.svg", "release.svg"] {
        let text = std::fs::read_to_string(folder.join(plot)).expect(plot);
        assert!(
            text.starts_with("<svg") && text.trim_end().ends_with("</svg>"),
            "{plot}"
        );
        assert!(
            text.contains("reference") && text.contains("glibc"),
            "{plot}"
        );
    }
}

#[test]
fn bad_input_is_refused_with_a_fix() {
    is_refused(
        &bench(&["--only", "nothing"]),
        &[
            "--only nothing matches no benchmark",
            "the benchmarks are small, mixed",
            "exchange, short, short-2, handover, growing, day",
        ],
    );
    is_refused(&bench(&["--only", "["]), &["--only [: error parsing glob"]);
    is_refused(&bench(&["no-such-allocator"]), &["no-such-allocator"]);
    is_refused(
        &bench(&["reference", "--trace", "/nowhere/x.trace"]),
        &["/nowhere/x.trace", "docs/guide/benchmarks.md"],
    );
    is_refused(
        &bench(&[
            "reference",
            "--only",
            "size-64",
            "--plots",
            "/dev/null/plots",
        ]),
        &["/dev/null/plots", "--plots"],
    );
    let trace = scratch("bench-trace").join("wrong.trace");
    std::fs::write(&trace, "a 1 20\nf 1\nf 1\n").unwrap();
    let trace = trace.to_str().unwrap();
    is_refused(
        &bench(&["reference", "--trace", trace]),
        &[
            "wrong.trace:3",
            "block 1 is not live",
            "docs/guide/benchmarks.md",
        ],
    );
}

#[test]
fn zero_repeats_are_refused() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heapmin"));
    let output = command.args(["bench", "--repeat", "0"]).output().unwrap();
    is_refused(&output, &["--repeat"]);
}
