//! The text of an observation for snapshots. Values that change from run to run
//! are replaced by words that do not.

use heapmin_harness::memory::Memory;
use heapmin_harness::wire::observation::{Call, Ending, Event, Kind, Observation};
use std::fmt::Write;

/// Facts whose numbers change from run to run.
const VOLATILE: [&str; 14] = [
    "blocks at edges",
    "returned under the limit",
    "blocks at the limit",
    "entries",
    "calls of _heapmin meanwhile",
    "live page bytes",
    "rounds",
    "refusals of the system",
    // Of a heap in a process.
    "MiB in a core file",
    "MiB of address space added",
    "mappings added",
    "loads without a block",
    "threads started under the limit",
    "calls of malloc that changed errno",
];

/// The observation as text, one line for each event.
pub fn stable(observation: &Observation) -> String {
    let mut text = String::new();
    let scale = Scale::of(observation);
    // Within a step, calls of one routine with the same outcome become one line:
    // the number of calls, for instance to refuse each release once, may depend on
    // what else is in the process.
    let mut outcomes_of_step: Vec<String> = Vec::new();
    for event in &observation.events {
        let line = match event {
            Event::Hello { .. } | Event::Fenced(_) | Event::Routines(_) => continue,
            Event::Loaded { path } => format!("loaded: {}", file_name(path.as_deref())),
            Event::SharesErrno => "its errno is the host's".into(),
            Event::LoadFailed(_) => "could not be loaded".into(),
            Event::Elsewhere { routine, .. } => format!("calls another library's {routine}"),
            Event::Missing(routine) => format!("does not export {routine}"),
            Event::NotApplicable(reason) => format!("not applicable: {reason}"),
            Event::NotJudged(reason) => format!("not judged: {reason}"),
            Event::OutOfMemory { size, .. } => format!("no memory for {size} bytes"),
            Event::Step(step) => {
                outcomes_of_step.clear();
                format!("step: {step}")
            }
            Event::Call(call) => {
                let outcome = outcome(call);
                let key = format!("{} {outcome}", call.routine);
                if outcomes_of_step.contains(&key) {
                    continue;
                }
                outcomes_of_step.push(key);
                format!("call: {}({}) {outcome}", call.routine, call.arguments)
            }
            Event::Moment {
                name,
                inside,
                outside,
            } => {
                // Some allocators release memory on a timer, so the resident memory
                // right after `free` changes from run to run.
                let resident = match name.starts_with("freed") {
                    true => "measured",
                    false => scale.band(outside.or(*inside)),
                };
                let seen = match (outside, inside) {
                    (Some(_), Some(_)) => ", seen from inside and outside",
                    _ => "",
                };
                format!("memory: {name}: {resident}{seen}")
            }
            Event::Fact { name, .. } if VOLATILE.contains(&name.as_str()) => {
                format!("fact: {name}: another number in every run")
            }
            // How many bytes a broken library destroys changes; that it does, stays.
            Event::Fact { name, value: 1.. } if name.starts_with("bytes") => {
                format!("fact: {name}: some")
            }
            Event::Fact { name, value } => format!("fact: {name}: {value}"),
            Event::ProbeFailed(reason) => format!("the probe failed: {reason}"),
            Event::Exception(code) => format!("exception {code:#010x}"),
            Event::Answer(_) | Event::Covered { .. } | Event::Done => continue,
        };
        writeln!(text, "{line}").expect("writing to a string");
    }
    let ending = match &observation.ending {
        Ending::Done => "came to its end",
        Ending::Died(_) => "died",
        Ending::TimedOut => "timed out",
        Ending::Failed(_) | Ending::Interrupted => "was not observed",
    };
    writeln!(text, "{ending}").expect("writing to a string");
    text
}

/// The outcome of a call, without its arguments.
fn outcome(call: &Call) -> String {
    let mut text = match (call.kind, call.returned) {
        // Each library rounds sizes up in its own way.
        (Kind::Size, 1..) => "returned a size".to_owned(),
        _ => call.result(),
    };
    if let Some((before, after)) = call.errno {
        text += &format!(", errno {before} -> {after}");
    }
    if let Some((before, after)) = call.doserrno {
        text += &format!(", _doserrno {before} -> {after}");
    }
    if call.handler_calls > 0 {
        text += ", invalid parameter handler called";
    }
    match call.refusals {
        None => text,
        Some(0) => text + ", not refused",
        Some(_) => text + ", refused",
    }
}

fn file_name(path: Option<&str>) -> &str {
    let path = path.unwrap_or("the loader does not say");
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// The scale for resident memory: the baseline, and the peak above it, in bytes.
struct Scale {
    baseline: u64,
    held: u64,
}

impl Scale {
    fn of(observation: &Observation) -> Scale {
        let resident = |moment| {
            observation
                .memory(moment)
                .map_or(0, |memory| memory.resident)
        };
        let baseline = resident("baseline");
        Scale {
            baseline,
            held: resident("peak").saturating_sub(baseline),
        }
    }

    /// The words for an amount of memory. The bands are wide enough that noise
    /// rarely moves an amount into another band.
    fn band(&self, memory: Option<Memory>) -> &'static str {
        let Some(memory) = memory else {
            return "not measured";
        };
        if self.held == 0 {
            return "measured";
        }
        let over = memory.resident.saturating_sub(self.baseline);
        let percent = over.saturating_mul(100) / self.held;
        match percent {
            0..5 => "nothing of the workload",
            5..40 => "a part of the workload",
            40..80 => "much of the workload",
            80..125 => "all of the workload",
            _ => "more than the workload",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(name: &str, mib: u64) -> Event {
        let resident = mib << 20;
        Event::Moment {
            name: name.into(),
            inside: None,
            outside: Some(Memory {
                resident,
                lazily_freed: 0,
            }),
        }
    }

    #[test]
    fn an_amount_of_any_size_has_words() {
        let figures = ["baseline", "peak", "minimised"].into_iter();
        let events = figures.zip([0, 1, (u64::MAX >> 20)]);
        let observation = Observation {
            events: events.map(|(name, mib)| moment(name, mib)).collect(),
            ending: Ending::Done,
            duration_ms: 1,
        };
        let text = stable(&observation);
        assert!(text.contains("minimised: more than the workload"), "{text}");
    }

    #[test]
    fn amounts_become_words_and_volatile_facts_lose_their_numbers() {
        let observation = Observation {
            events: vec![
                Event::Loaded {
                    path: Some("Z:\\a\\b.dll".into()),
                },
                moment("baseline", 10),
                moment("peak", 110),
                moment("minimised", 12),
                Event::Fact {
                    name: "entries".into(),
                    value: 4711,
                },
                Event::Fact {
                    name: "lost bytes".into(),
                    value: 3,
                },
            ],
            ending: Ending::Done,
            duration_ms: 1,
        };
        assert_eq!(
            stable(&observation),
            "loaded: b.dll\n\
             memory: baseline: nothing of the workload\n\
             memory: peak: all of the workload\n\
             memory: minimised: nothing of the workload\n\
             fact: entries: another number in every run\n\
             fact: lost bytes: 3\n\
             came to its end\n"
        );
    }

    fn seen(events: Vec<Event>) -> Observation {
        Observation {
            events,
            ending: Ending::Done,
            duration_ms: 1,
        }
    }

    #[test]
    fn each_band_has_its_words() {
        let words = [
            (0, "nothing of"),
            (4, "nothing of"),
            (5, "a part of"),
            (39, "a part of"),
            (40, "much of"),
            (79, "much of"),
            (80, "all of"),
            (124, "all of"),
            (125, "more than"),
        ];
        for (mib, words) in words {
            let figures = [("baseline", 7), ("peak", 107), ("minimised", mib + 7)];
            let text = stable(&seen(figures.map(|(name, mib)| moment(name, mib)).into()));
            let line = format!("memory: minimised: {words} the workload\n");
            assert!(text.contains(&line), "{mib} MiB: {text}");
        }
        // Without a workload there is no scale.
        let text = stable(&seen(vec![moment("baseline", 7)]));
        assert_eq!(text, "memory: baseline: measured\ncame to its end\n");
    }

    #[test]
    fn memory_measured_from_inside_and_outside_is_marked() {
        let memory = Some(Memory {
            resident: 1,
            lazily_freed: 0,
        });
        let both = Event::Moment {
            name: "freed".into(),
            inside: memory,
            outside: memory,
        };
        let text = stable(&seen(vec![both]));
        assert!(text.starts_with("memory: freed: measured, seen from inside and outside\n"));
    }

    #[test]
    fn the_outcome_of_a_call_has_no_number_that_changes() {
        let call = |kind, returned, handler_calls| {
            Event::Call(Call {
                kind,
                returned,
                handler_calls,
                arguments: "a".into(),
                refusals: Some(u32::from(handler_calls > 0)),
                ..crate::forged::call("_msize")
            })
        };
        let fact = |value| crate::forged::fact("bytes lost", value);
        let text = stable(&seen(vec![
            call(Kind::Size, 40, 0),
            call(Kind::Size, 48, 0),
            call(Kind::Size, 0, 0),
            call(Kind::Number, 5, 1),
            fact(0),
            fact(3),
        ]));
        assert_eq!(
            text,
            "call: _msize(a) returned a size, errno 0 -> 0, _doserrno 0 -> 0, not refused\n\
             call: _msize(a) returned 0, errno 0 -> 0, _doserrno 0 -> 0, not refused\n\
             call: _msize(a) returned 5, errno 0 -> 0, _doserrno 0 -> 0, invalid parameter handler called, refused\n\
             fact: bytes lost: 0\n\
             fact: bytes lost: some\n\
             came to its end\n"
        );
    }
}
