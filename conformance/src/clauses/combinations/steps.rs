//! The steps of a case: sizes, alignments and histories in combination.

use super::super::histories::{PLAIN, Rule};
use super::super::sizes::UNAVAILABLE;
use super::blocks::{HISTORIES, History};
use super::sweep::Subject;

/// One call with what is prepared for it.
#[derive(Clone, Copy)]
pub(super) struct Step {
    /// The requested size, or the size of the block that the call takes.
    pub(super) size: usize,
    /// The size of the block that is resized.
    pub(super) old: usize,
    pub(super) rule: Rule,
    pub(super) history: History,
}

/// A size that no system has, and whose sum with an alignment does not overflow.
pub(super) const IMPOSSIBLE: usize = UNAVAILABLE[2];

/// Sizes of blocks of `malloc`: of each class of sizes, next to multiples of 16.
const PLAIN_SIZES: [usize; 14] = [
    40, 4096, 16, 8, 48, 49, 4097, 5000, 200_000, 200_001, 200_008, 1_310_720, 1_310_721, HUGE,
];

/// Sizes of blocks of each alignment: near the alignment and its multiples, and of each
/// class of sizes.
const ALIGNED_SIZES: [(usize, &[usize]); 5] = [
    (16, &[8, 16, 17, 32, 40, 5000, 300_000, HUGE]),
    (256, &[128, 256, 257, 512, 640, 5000, 300_000, HUGE]),
    (
        64 << 10,
        &[
            100,
            32 << 10,
            64 << 10,
            (64 << 10) + 1,
            128 << 10,
            160 << 10,
            HUGE,
        ],
    ),
    (512 << 10, &[300_000, 512 << 10, (512 << 10) + 1]),
    (
        2 << 20,
        &[
            100,
            5000,
            300_000,
            HUGE,
            2 << 20,
            (2 << 20) + 1,
            3 << 20,
            4 << 20,
        ],
    ),
];
const HUGE: usize = 1_310_728;
/// An offset that is less than every size.
const OFFSET: usize = 4;
/// Sizes of blocks that are resized.
const OLD_SIZES: [usize; 4] = [24, 6000, 250_000, 1_200_000];

/// Sizes of blocks with a memory of their own, with their rules.
fn sizes(is_aligned: bool) -> Vec<(usize, Rule)> {
    if !is_aligned {
        return PLAIN_SIZES.map(|size| (size, PLAIN)).to_vec();
    }
    let of = |(alignment, sizes): (usize, &'static [usize])| {
        let rule = aligned_to(alignment);
        sizes.iter().map(move |size| (*size, rule))
    };
    ALIGNED_SIZES.into_iter().flat_map(of).collect()
}

/// A size of each class, in each class of alignments.
pub(super) fn classes(is_aligned: bool) -> Vec<(usize, Rule)> {
    let sizes = [100, 5000, 300_000, HUGE];
    if !is_aligned {
        return [0].into_iter().chain(sizes).map(|it| (it, PLAIN)).collect();
    }
    let alignments = [16, 256, 64 << 10, 2 << 20].into_iter();
    let of = |alignment| sizes.map(|size| (size, aligned_to(alignment)));
    alignments.flat_map(of).collect()
}

fn aligned_to(alignment: usize) -> Rule {
    Rule {
        alignment,
        offset: 0,
    }
}

/// The steps for a routine: each size with each history, or with each size of the block
/// that it resizes. If they are `few`, each size comes once, and each value in some step.
pub(super) fn steps(subject: &Subject, few: bool) -> Vec<Step> {
    let mut requests = sizes(subject.is_aligned);
    let rules = match subject.is_aligned {
        true => ALIGNED_SIZES
            .map(|(alignment, _)| aligned_to(alignment))
            .to_vec(),
        false => vec![PLAIN],
    };
    for rule in rules {
        let no_block = [
            (IMPOSSIBLE, subject.takes_any_size()),
            (0, subject.takes_zero()),
        ];
        let no_block = no_block.into_iter().filter(|(_, is_taken)| *is_taken);
        requests.extend(no_block.map(|(size, _)| (size, rule)));
    }
    let zero = (!subject.is_aligned).then_some(0);
    let old_sizes: Vec<usize> = OLD_SIZES.into_iter().chain(zero).collect();
    let turns = match subject.is_resizing() {
        true => old_sizes.len(),
        false => HISTORIES.len(),
    };
    let mut steps = Vec::new();
    for (number, (size, rule)) in requests.into_iter().enumerate() {
        #[expect(clippy::needless_range_loop, reason = "it also counts the histories")]
        for turn in 0..turns {
            // Resizing copies large blocks: half of the sizes of the old block must do.
            let is_costly = subject.is_aligned && (200_000..IMPOSSIBLE).contains(&size);
            let is_left_out = match few {
                true => turn != number % turns,
                false => subject.is_resizing() && is_costly && (number + turn) % 2 == 1,
            };
            if is_left_out {
                continue;
            }
            let history = match (few, is_costly && subject.is_resizing()) {
                (true, _) => number,
                (false, true) => number + turn / 2,
                (false, false) => number + turn,
            };
            let is_inside = subject.has_offset && size > 0 && (number / 2 + turn) % 2 == 1;
            let offset = if is_inside { OFFSET } else { 0 };
            steps.push(Step {
                size,
                old: if subject.is_resizing() {
                    old_sizes[turn]
                } else {
                    size
                },
                rule: Rule { offset, ..rule },
                history: HISTORIES[history % HISTORIES.len()],
            });
        }
    }
    steps
}
