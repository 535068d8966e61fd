//! The figures of a benchmark: of one run, and summaries of several runs.

use heapmin_harness::probe::pages::PAGE;
use heapmin_harness::wire::observation::{Event, Observation};
use serde::Serialize;

/// The figures of one run, or their summaries over several runs. Memory is
/// resident memory, over that before the first block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Figures<T> {
    /// The time to allocate and fill all blocks and to free most of them, in milliseconds.
    pub work_ms: T,
    /// The time of a `_heapmin` call, in milliseconds.
    pub release_ms: T,
    /// The same time, divided by what the system takes to release the same pages
    /// without an allocator.
    pub release_over_bare: T,
    /// The time of a second `_heapmin` call, in microseconds.
    pub again_us: T,
    /// Memory while all blocks are live, in MiB.
    pub held_mib: T,
    /// Memory at the end, less the pages with a live block, in KiB.
    pub over_live_kib: T,
    /// The greatest memory after an hourly `_heapmin` call, divided by the bytes
    /// of live blocks.
    pub over_live_bytes: T,
}

/// The median of several runs, and their range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The median.
    pub median: f64,
    /// The smallest value.
    pub least: f64,
    /// The greatest value.
    pub most: f64,
}

/// The figures of one run; those that it did not measure are `None`.
pub type Run = Figures<Option<f64>>;

impl Run {
    /// The figures of an observation.
    pub fn of(seen: &Observation) -> Run {
        let fact = |name| seen.fact(name).map(|value| value as f64);
        let over_baseline = |moment| {
            let resident = |moment| Some(seen.memory(moment)?.resident as f64);
            Some(resident(moment)? - resident("baseline")?)
        };
        let ms = |nanoseconds: f64| nanoseconds / 1e6;
        let release = fact("release");
        Run {
            work_ms: fact("allocate").map(|allocate| ms(allocate + fact("free").unwrap_or(0.0))),
            release_ms: release.map(ms),
            release_over_bare: release
                .zip(fact("bare release"))
                .map(|(took, bare)| took / bare),
            again_us: fact("again").map(|took| took / 1e3),
            held_mib: over_baseline("held").map(|bytes| bytes / (1 << 20) as f64),
            over_live_kib: over_baseline("released")
                .zip(fact("live pages"))
                .map(|(bytes, pages)| (bytes - pages * PAGE as f64) / 1024.0),
            over_live_bytes: over_live_bytes(seen),
        }
    }
}

/// The greatest resident memory of all hours, divided by the bytes of live
/// blocks.
fn over_live_bytes(seen: &Observation) -> Option<f64> {
    let baseline = seen.memory("baseline")?.resident as f64;
    let (mut live, mut most) = (0.0, None::<f64>);
    for event in &seen.events {
        match event {
            Event::Fact { name, value } if name == "live bytes" => live = *value as f64,
            Event::Moment {
                name,
                outside: Some(memory),
                ..
            } if name.starts_with("hour") => {
                let multiple = (memory.resident as f64 - baseline) / live;
                most = Some(most.map_or(multiple, |most| most.max(multiple)));
            }
            _ => {}
        }
    }
    most
}

/// Resident memory over time, of a run that sampled it.
pub fn curve(seen: &Observation) -> super::Curve {
    let baseline = seen
        .memory("baseline")
        .map_or(0.0, |memory| memory.resident as f64);
    let mut seconds = 0.0;
    let mut curve = Vec::new();
    for event in &seen.events {
        match event {
            Event::Fact { name, value } if name == "elapsed" => seconds = *value as f64 / 1e9,
            Event::Moment {
                outside: Some(memory),
                ..
            } => {
                curve.push((
                    seconds,
                    (memory.resident as f64 - baseline) / f64::from(1 << 20),
                ));
            }
            _ => {}
        }
    }
    curve
}

impl Figures<Option<Summary>> {
    /// The summaries of several runs.
    pub fn over(runs: &[Run]) -> Self {
        let over =
            |figure: fn(&Run) -> Option<f64>| summary(runs.iter().filter_map(figure).collect());
        Figures {
            work_ms: over(|run| run.work_ms),
            release_ms: over(|run| run.release_ms),
            release_over_bare: over(|run| run.release_over_bare),
            again_us: over(|run| run.again_us),
            held_mib: over(|run| run.held_mib),
            over_live_kib: over(|run| run.over_live_kib),
            over_live_bytes: over(|run| run.over_live_bytes),
        }
    }
}

/// The median and the range of these values; `None` if there are no values.
pub(super) fn summary(mut values: Vec<f64>) -> Option<Summary> {
    values.sort_by(f64::total_cmp);
    let (least, most) = (*values.first()?, *values.last()?);
    let median = (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0;
    Some(Summary {
        median,
        least,
        most,
    })
}

/// The geometric mean; `None` if there are no values.
pub fn geometric_mean(values: &[f64]) -> Option<f64> {
    let sum: f64 = values.iter().map(|value| value.ln()).sum();
    (!values.is_empty()).then(|| (sum / values.len() as f64).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use heapmin_harness::memory::Memory;
    use heapmin_harness::wire::observation::Ending;

    fn seen(events: Vec<Event>) -> Observation {
        Observation {
            events,
            ending: Ending::Done,
            duration_ms: 1,
        }
    }

    fn fact(name: &str, value: i64) -> Event {
        Event::Fact {
            name: name.into(),
            value,
        }
    }

    fn moment(name: &str, resident: u64) -> Event {
        let memory = Memory {
            resident,
            lazily_freed: 0,
        };
        Event::Moment {
            name: name.into(),
            inside: None,
            outside: Some(memory),
        }
    }

    #[test]
    fn figures_are_converted_to_their_units() {
        let run = Run::of(&seen(vec![
            moment("baseline", 1 << 20),
            fact("allocate", 3_000_000),
            fact("free", 1_000_000),
            moment("held", 3 << 20),
            fact("release", 600_000),
            fact("bare release", 500_000),
            fact("again", 2_000),
            moment("released", (1 << 20) + 12_288),
            fact("live pages", 1),
        ]));
        assert_eq!(run.work_ms, Some(4.0));
        assert_eq!(
            (run.release_ms, run.release_over_bare),
            (Some(0.6), Some(1.2))
        );
        assert_eq!((run.again_us, run.held_mib), (Some(2.0), Some(2.0)));
        assert_eq!((run.over_live_kib, run.over_live_bytes), (Some(8.0), None));
    }

    #[test]
    fn the_hour_with_the_most_memory_per_live_byte_counts() {
        let run = Run::of(&seen(vec![
            moment("baseline", 100),
            fact("live bytes", 1000),
            moment("hour 0", 1200),
            fact("live bytes", 500),
            moment("hour 1", 850),
            fact("live bytes", 1000),
            moment("hour 2", 1100),
        ]));
        assert_eq!(run.over_live_bytes, Some(1.5));
    }

    #[test]
    fn a_summary_has_the_median_and_the_range() {
        let three = summary(vec![9.0, 1.0, 2.0]).unwrap();
        assert_eq!((three.median, three.least, three.most), (2.0, 1.0, 9.0));
        assert_eq!(summary(vec![1.0, 2.0]).unwrap().median, 1.5);
        assert_eq!(summary(vec![]), None);
        assert!((geometric_mean(&[1.0, 4.0]).unwrap() - 2.0).abs() < 1e-9);
        assert_eq!(geometric_mean(&[]), None);
    }
}
