//! The steps of a script: each is an operation, and the thread that performs it.
//!
//! A line that names a thread, such as `2: free(a)`, runs at the same time as the lines of
//! other threads next to it. A line without a thread runs alone, while all threads wait.

use super::script::{Operation, Slot};
use std::fmt;
use std::str::FromStr;

/// The greatest number of a thread.
pub const MOST_THREADS: u8 = 8;

/// A line of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The thread's number, from 1 to [`MOST_THREADS`]; `None` if the step runs alone.
    pub thread: Option<u8>,
    /// The operation.
    pub operation: Operation,
}

impl Step {
    /// A step that runs alone.
    pub fn alone(operation: Operation) -> Step {
        Step {
            thread: None,
            operation,
        }
    }

    /// Whether a thread may perform this operation while others run. What reads the blocks
    /// of all threads runs alone.
    pub fn is_for_threads(operation: Operation) -> bool {
        operation.slot().is_some()
            || matches!(
                operation,
                Operation::Heapmin {} | Operation::Churn { .. } | Operation::End {}
            )
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(thread) = self.thread {
            write!(f, "{thread}: ")?;
        }
        self.operation.fmt(f)
    }
}

impl FromStr for Step {
    type Err = String;

    fn from_str(line: &str) -> Result<Step, String> {
        let (thread, operation) = match line.split_once(':') {
            Some((thread, operation)) => (Some(number(thread.trim())?), operation),
            None => (None, line),
        };
        let operation: Operation = operation.parse()?;
        let name = operation.routine();
        if thread.is_some() && !Step::is_for_threads(operation) {
            return Err(format!(
                "{name} concerns the blocks of all threads: write it without a thread"
            ));
        }
        if thread.is_none() && operation == (Operation::End {}) {
            return Err(format!(
                "{name} needs the number of a thread, as in 2: {name}()"
            ));
        }
        Ok(Step { thread, operation })
    }
}

fn number(text: &str) -> Result<u8, String> {
    let number = text.parse().ok();
    number
        .filter(|number| (1..=MOST_THREADS).contains(number))
        .ok_or_else(|| format!("{text:?} is not the number of a thread, 1 to {MOST_THREADS}"))
}

/// The phases of a script: a step that runs alone, or the steps of threads that run at the
/// same time.
pub fn phases(steps: &[Step]) -> impl Iterator<Item = &[Step]> {
    steps.chunk_by(|a, b| a.thread.is_some() && b.thread.is_some())
}

/// The index after the last step of the phase that has this step.
pub fn end_of_phase(steps: &[Step], index: usize) -> usize {
    let mut end = 0;
    for phase in phases(steps) {
        end += phase.len();
        if index < end {
            break;
        }
    }
    end
}

/// The thread that has each slot during a phase: the first that names it. The steps of
/// other threads on that slot do nothing, so two threads never use one slot.
#[derive(Default)]
pub struct Owners([Option<u8>; Slot::COUNT]);

impl Owners {
    /// The owners during this phase.
    pub fn of(phase: &[Step]) -> Owners {
        let mut owners = Owners::default();
        for step in phase {
            if let (Some(slot), Some(thread)) = (step.operation.slot(), step.thread) {
                owners.or_first(slot, thread);
            }
        }
        owners
    }

    /// The owner of a slot. A slot without an owner gets this thread as its owner.
    pub fn or_first(&mut self, slot: Slot, thread: u8) -> u8 {
        *self.0[slot.index()].get_or_insert(thread)
    }

    /// The owner of a slot.
    pub fn owner(&self, slot: Slot) -> Option<u8> {
        self.0[slot.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn script(text: &str) -> Vec<Step> {
        text.lines().map(|line| line.parse().unwrap()).collect()
    }

    #[rstest]
    #[case("a = malloc(24)", None)]
    #[case("2: a = malloc(24)", Some(2))]
    #[case("8: churn(5, 6)", Some(8))]
    #[case("1: end()", Some(1))]
    #[case("3: _heapmin()", Some(3))]
    fn a_parsed_step_is_written_as_before(#[case] line: &str, #[case] thread: Option<u8>) {
        let step: Step = line.parse().unwrap();
        assert_eq!((step.thread, step.to_string().as_str()), (thread, line));
    }

    #[rstest]
    #[case("0: free(a)", "number of a thread")]
    #[case("9: free(a)", "number of a thread")]
    #[case(": free(a)", "number of a thread")]
    #[case("x: free(a)", "number of a thread")]
    #[case("1: 2: free(a)", "form")]
    #[case("1: check()", "without a thread")]
    #[case("1: _heapwalk()", "without a thread")]
    #[case("end()", "needs the number")]
    fn a_line_that_is_no_step_is_refused(#[case] line: &str, #[case] why: &str) {
        let error = line.parse::<Step>().unwrap_err();
        assert!(error.contains(why), "{error}");
    }

    #[test]
    fn steps_without_a_thread_divide_a_script_into_phases() {
        let steps = script("1: free(a)\n2: free(b)\ncheck()\n_heapmin()\n2: free(c)");
        let lengths: Vec<usize> = phases(&steps).map(<[Step]>::len).collect();
        assert_eq!(lengths, [2, 1, 1, 1]);
        let ends: Vec<usize> = (0..5).map(|index| end_of_phase(&steps, index)).collect();
        assert_eq!(ends, [2, 2, 3, 4, 5]);
    }

    #[test]
    fn a_slot_belongs_to_the_first_thread_that_names_it() {
        let steps = script("2: free(a)\n1: free(a)\n1: free(b)\n1: churn(1, 1)");
        let owners = Owners::of(&steps);
        let owner = |index| owners.owner(Slot::new(index));
        assert_eq!([owner(0), owner(1), owner(2)], [Some(2), Some(1), None]);
    }
}
