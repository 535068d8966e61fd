//! The configuration: what ran, where, with which options, on which libraries.

use super::Page;
use super::text::{counted, duration, shown};
use crate::record::{Library, Options, Run};
use maud::{Markup, html};

/// The section.
pub(super) fn configuration(page: &Page) -> Markup {
    let run = page.run;
    html! {
        section #configuration aria-labelledby="configuration-heading" {
            h2 #configuration-heading { "Configuration" }
            details {
                summary {
                    "heapmin " (shown(&run.suite)) ", promises " (shown(&run.specification))
                    ", " (shown(&run.machine.system))
                    @if let Some(kernel) = &run.machine.kernel { " " (shown(kernel)) }
                    " on " (shown(&run.machine.arch))
                    @for library in &run.candidates {
                        @if !library.run_by.is_empty() && is_first_with_its_runner(run, library) {
                            ", " (shown(&library.run_by))
                        }
                    }
                }
                h3 { "Run" }
                (of_run(run))
                @for (_, library, title, _) in page.libraries() {
                    h3 { (shown(title)) }
                    (of_library(library))
                }
            }
        }
    }
}

fn is_first_with_its_runner(run: &Run, library: &Library) -> bool {
    let mut libraries = run.candidates.iter();
    let first = libraries.find(|it| it.run_by == library.run_by);
    first.is_some_and(|first| std::ptr::eq(first, library))
}

fn of_run(run: &Run) -> Markup {
    let Run {
        machine, options, ..
    } = run;
    html! {
        dl {
            (row("suite", &format!("heapmin {}", run.suite)))
            (row("specification", &run.specification))
            (row("build", &run.build))
            (row("began", &run.started))
            (row("took", &duration(run.duration_ms)))
            (row("system", &machine.system))
            (row("kernel", machine.kernel.as_deref().unwrap_or("not known")))
            (row("processor", &format!("{}, {} in use", machine.arch, machine.processors)))
            (row("command", &format!("heapmin {}", options.arguments.join(" "))))
            @for (name, value) in named(options) { (row(name, &value)) }
        }
    }
}

/// The options that the user set, each with its value.
fn named(options: &Options) -> Vec<(&'static str, String)> {
    let seconds = |it: Option<u64>| it.map(|it| format!("{it} s"));
    let list = |it: &[String]| (!it.is_empty()).then(|| it.join(", "));
    let all = [
        ("--only", list(&options.only)),
        ("--skip", list(&options.skip)),
        ("--fault", options.fault.clone()),
        ("--profile", options.profile.clone()),
        ("--expected", options.expected.clone()),
        ("--heap", options.heap.clone()),
        ("--preload", options.preload.then(|| "yes".into())),
        ("--timeout", seconds(options.timeout_s)),
        ("--max-time", seconds(options.max_time_s)),
        (
            "--repeat",
            (options.repeat > 1).then(|| options.repeat.to_string()),
        ),
        ("--must-judge", options.must_judge.map(|it| it.to_string())),
        ("--no-fence", (!options.fence).then(|| "yes".into())),
        ("cases in parallel", Some(options.jobs.to_string())),
    ];
    let set = all.into_iter();
    set.filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

fn of_library(library: &Library) -> Markup {
    let format = match library.format.as_str() {
        "macho" => "Mach-O".to_owned(),
        other => other.to_uppercase(),
    };
    let runner = match (library.run_by.as_str(), library.runner.join(" ")) {
        ("", _) => "this system".to_owned(),
        (run_by, command) if command.is_empty() || command == run_by => run_by.to_owned(),
        (run_by, command) => format!("{run_by}: {command}"),
    };
    html! {
        dl {
            (row("name", &library.name))
            (row("file", &library.path))
            (row("format", &format!("{format} {}", library.arch)))
            (row("version", library.version.as_deref().unwrap_or("none in the file")))
            @if let Some(original) = &library.original_name { (row("original name", original)) }
            (row("SHA-256", library.sha256.as_deref().unwrap_or("could not be read")))
            (row("profile", library.profile.as_deref().unwrap_or("none")))
            @if let Some(heap) = &library.heap {
                (row("heap of", &format!("{}: {}", heap.name, heap.routines.join(", "))))
            }
            (row("run by", &runner))
            (row("errno", match library.errno.as_str() {
                "msvc" => "Microsoft's numbers",
                "host" => "the system's numbers",
                other => other,
            }))
            (row("fence", &fence(library)))
            @if let Some(fence) = library.fence.as_ref().filter(|it| !it.missing.is_empty()) {
                (row("not in force", &fence.missing.join("; ")))
            }
            (row("cases run", &counted(library.cases_run, "case", "cases")))
        }
    }
}

fn fence(library: &Library) -> String {
    match &library.fence {
        Some(fence) if fence.kept.is_empty() => "nothing in force".into(),
        Some(fence) => fence.kept.join("; "),
        None if library.fenced => "no process raised it".into(),
        None => "none".into(),
    }
}

fn row(name: &str, value: &str) -> Markup {
    html! { div { dt { (name) } dd { (shown(value)) } } }
}
