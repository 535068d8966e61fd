//! The body of a file that performs a sequence of `heapmin fuzz`: each line of the sequence
//! is a call, with the checks of `heapmin fuzz` after it.

use super::Body;
use heapmin_harness::wire::script::{CHURN, Operation, Slot};
use heapmin_harness::wire::step::{Owners, Step, phases};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The body for these steps. A step that does nothing is left out.
pub(super) fn body(steps: &[Step]) -> Body {
    let mut state = State::default();
    let mut functions = String::new();
    let mut calls = String::new();
    for (number, phase) in phases(steps).enumerate() {
        if phase[0].thread.is_none() {
            for step in phase {
                add(&mut calls, "    ", &state.lines(step.operation));
            }
            continue;
        }
        let (function, threads) = of_threads(number, phase, &mut state);
        functions += &function;
        add(
            &mut calls,
            "    ",
            &[format!("run_threads({threads}, phase_{number});")],
        );
    }
    add(&mut calls, "    ", &["check_all(\"the end\");".to_owned()]);
    let letters: Vec<_> = state.named.iter().map(Slot::to_string).collect();
    let mut code = format!("enum {{ {} }};\n\n", letters.join(", "));
    code += &functions;
    code += &format!("static void test(void)\n{{\n{calls}}}\n");
    let churns = CHURN[2..].iter().map(|name| (*name).to_owned());
    Body {
        code: with_large_numbers_in_hex(&code),
        optional: churns.filter(|_| state.churns).collect(),
    }
}

/// The text with each number that no signed type has in hexadecimal digits: C warns of such a
/// number in decimal ones.
fn with_large_numbers_in_hex(code: &str) -> String {
    let mut text = String::new();
    let mut rest = code;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let end = rest[start..].find(|c: char| !c.is_ascii_digit());
        let end = end.map_or(rest.len(), |it| start + it);
        let digits = &rest[start..end];
        let large = digits
            .parse()
            .ok()
            .filter(|value: &u64| i64::try_from(*value).is_err());
        text += &rest[..start];
        text += &large.map_or_else(|| digits.to_owned(), |value| format!("{value:#x}"));
        rest = &rest[end..];
    }
    text + rest
}

/// The function that a phase's threads run at the same time, and their number.
fn of_threads(number: usize, phase: &[Step], state: &mut State) -> (String, usize) {
    let owners = Owners::of(phase);
    let threads: BTreeSet<u8> = phase.iter().filter_map(|step| step.thread).collect();
    let mut text = format!("static void phase_{number}(int thread)\n{{\n");
    for (place, thread) in threads.iter().enumerate() {
        writeln!(text, "    if (thread == {place}) {{").expect("writing to a string");
        for step in phase.iter().filter(|step| step.thread == Some(*thread)) {
            let slot = step.operation.slot();
            let owner = slot.and_then(|slot| owners.owner(slot));
            if owner.is_none_or(|owner| owner == *thread) {
                add(&mut text, "        ", &state.lines(step.operation));
            }
        }
        text += "    }\n";
    }
    (text + "}\n\n", threads.len())
}

fn add(text: &mut String, indent: &str, lines: &[String]) {
    for line in lines {
        writeln!(text, "{indent}{line}").expect("writing to a string");
    }
}

/// The blocks in the slots, if each call does as it should.
#[derive(Default)]
struct State {
    /// For each slot, whether its block is an aligned one.
    slots: [Option<bool>; Slot::COUNT],
    named: BTreeSet<Slot>,
    churns: bool,
}

/// More bytes than any system has.
const IMPOSSIBLE: u64 = 1 << 40;

impl State {
    /// The lines of an operation; none if it does nothing.
    fn lines(&mut self, operation: Operation) -> Vec<String> {
        let shown = operation.to_string();
        if let Some(slot) = operation.slot() {
            self.named.insert(slot);
        }
        match operation {
            Operation::Malloc { slot, size } => self.new_block(
                slot,
                &shown,
                &format!("p_malloc({size})"),
                size,
                None,
                false,
            ),
            Operation::Calloc { slot, number, size } => {
                let total = number.saturating_mul(size);
                let call = format!("p_calloc({number}, {size})");
                self.new_block(slot, &shown, &call, total, None, true)
            }
            Operation::AlignedMalloc {
                slot,
                size,
                alignment,
            } => {
                let call = format!("p__aligned_malloc({size}, {alignment})");
                self.new_block(slot, &shown, &call, size, Some((alignment, 0)), false)
            }
            Operation::AlignedOffsetMalloc {
                slot,
                size,
                alignment,
                offset,
            } => {
                let call = format!("p__aligned_offset_malloc({size}, {alignment}, {offset})");
                self.new_block(slot, &shown, &call, size, Some((alignment, offset)), false)
            }
            Operation::Realloc { slot, size, .. } => {
                let call = format!("p_realloc(block[{slot}].at, {size})");
                self.resized(slot, &shown, &call, size, None, false)
            }
            Operation::Recalloc {
                slot, number, size, ..
            } => {
                let total = number.saturating_mul(size);
                let call = format!("p__recalloc(block[{slot}].at, {number}, {size})");
                self.resized(slot, &shown, &call, total, None, true)
            }
            Operation::AlignedRealloc {
                slot,
                size,
                alignment,
                ..
            } => {
                let call = format!("p__aligned_realloc(block[{slot}].at, {size}, {alignment})");
                self.resized(slot, &shown, &call, size, Some((alignment, 0)), false)
            }
            Operation::AlignedOffsetRealloc {
                slot,
                size,
                alignment,
                offset,
                ..
            } => {
                let call = format!(
                    "p__aligned_offset_realloc(block[{slot}].at, {size}, {alignment}, {offset})"
                );
                self.resized(slot, &shown, &call, size, Some((alignment, offset)), false)
            }
            Operation::AlignedRecalloc {
                slot,
                number,
                size,
                alignment,
                ..
            } => {
                let total = number.saturating_mul(size);
                let call =
                    format!("p__aligned_recalloc(block[{slot}].at, {number}, {size}, {alignment})");
                self.resized(slot, &shown, &call, total, Some((alignment, 0)), true)
            }
            Operation::AlignedOffsetRecalloc {
                slot,
                number,
                size,
                alignment,
                offset,
                ..
            } => {
                let total = number.saturating_mul(size);
                let call = format!(
                    "p__aligned_offset_recalloc(block[{slot}].at, {number}, {size}, {alignment}, {offset})"
                );
                self.resized(slot, &shown, &call, total, Some((alignment, offset)), true)
            }
            Operation::Free { slot } => self.freed(slot, false, "p_free"),
            Operation::AlignedFree { slot } => self.freed(slot, true, "p__aligned_free"),
            Operation::Msize { slot } => {
                self.measured(slot, false, &shown, &format!("p__msize(block[{slot}].at)"))
            }
            Operation::AlignedMsize {
                slot,
                alignment,
                offset,
            } => {
                let call = format!("p__aligned_msize(block[{slot}].at, {alignment}, {offset})");
                self.measured(slot, true, &shown, &call)
            }
            Operation::Expand { slot, size } => match self.slots[slot.index()] {
                Some(false) => vec![format!(
                    "expanded_block({slot}, \"{shown}\", p__expand(block[{slot}].at, {size}), {size});"
                )],
                _ => Vec::new(),
            },
            Operation::Heapmin {} => vec!["status_of(\"_heapmin\", p__heapmin(), 0, -1);".into()],
            Operation::Heapchk {} => vec!["status_of(\"_heapchk\", p__heapchk(), -2, -1);".into()],
            Operation::Heapset { fill } => {
                vec![format!(
                    "status_of(\"_heapset\", p__heapset({}), -2, -1);",
                    fill & 0xFF
                )]
            }
            Operation::Heapwalk {} => {
                let plain = self
                    .slots
                    .iter()
                    .enumerate()
                    .filter(|(_, it)| **it == Some(false));
                let plain = plain.map(|(index, _)| format!("walked_block({});", Slot::new(index)));
                plain.collect()
            }
            Operation::Check {} => vec!["check_all(\"check\");".into()],
            Operation::Churn { count, size } => {
                self.churns = true;
                vec![format!("churn({count}, {size});")]
            }
            // Each phase has threads of its own here.
            Operation::End {} => Vec::new(),
        }
    }

    fn new_block(
        &mut self,
        slot: Slot,
        shown: &str,
        call: &str,
        size: usize,
        aligned: Option<(usize, usize)>,
        zeroes: bool,
    ) -> Vec<String> {
        if self.slots[slot.index()].is_some() {
            return Vec::new();
        }
        if (size as u64) < IMPOSSIBLE {
            self.slots[slot.index()] = Some(aligned.is_some());
        }
        vec![given(slot, shown, call, size, aligned, zeroes)]
    }

    fn resized(
        &mut self,
        slot: Slot,
        shown: &str,
        call: &str,
        size: usize,
        aligned: Option<(usize, usize)>,
        zeroes: bool,
    ) -> Vec<String> {
        if self.slots[slot.index()] != Some(aligned.is_some()) {
            return Vec::new();
        }
        if size == 0 {
            self.slots[slot.index()] = None;
        }
        vec![given(slot, shown, call, size, aligned, zeroes)]
    }

    fn freed(&mut self, slot: Slot, is_aligned: bool, routine: &str) -> Vec<String> {
        if self.slots[slot.index()] != Some(is_aligned) {
            return Vec::new();
        }
        self.slots[slot.index()] = None;
        vec![
            format!("check_block({slot}, \"{routine}\");"),
            format!("{routine}(block[{slot}].at), block[{slot}].at = NULL;"),
        ]
    }

    fn measured(&self, slot: Slot, is_aligned: bool, shown: &str, call: &str) -> Vec<String> {
        match self.slots[slot.index()] == Some(is_aligned) {
            true => vec![format!("measured_block({slot}, \"{shown}\", {call});")],
            false => Vec::new(),
        }
    }
}

fn given(
    slot: Slot,
    shown: &str,
    call: &str,
    size: usize,
    aligned: Option<(usize, usize)>,
    zeroes: bool,
) -> String {
    let (alignment, offset) = aligned.unwrap_or((0, 0));
    let zeroes = u8::from(zeroes);
    format!("given_block({slot}, \"{shown}\", {call}, {size}, {alignment}, {offset}, {zeroes});")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        let steps: Vec<Step> = text.lines().map(|line| line.parse().unwrap()).collect();
        body(&steps).code
    }

    #[test]
    fn a_step_that_does_nothing_is_left_out() {
        let code = code("a = malloc(24)\n_aligned_free(a)\nfree(b)\nfree(a)\n_msize(a)");
        assert!(code.contains("given_block(a, \"a = malloc(24)\", p_malloc(24), 24, 0, 0, 0);"));
        assert!(code.contains("p_free(block[a].at)") && code.matches("p_free").count() == 2);
        assert!(
            !code.contains("_aligned_free") && !code.contains("_msize"),
            "{code}"
        );
    }

    #[test]
    fn steps_of_threads_run_at_the_same_time() {
        let code = code("1: a = malloc(24)\n2: b = malloc(25)\n2: free(a)\ncheck()");
        assert!(code.contains("run_threads(2, phase_0);"), "{code}");
        assert!(!code.contains("p_free"), "{code}");
    }
}
