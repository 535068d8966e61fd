//! What the cases allocate, and what stays resident. The sizes are the same in
//! every run and on every system, so that figures can be compared.

use crate::clause::{Judgement, Seen};
use crate::figures::amount;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::{Probe, Stop};

pub(super) const MIB: usize = 1 << 20;

/// A number that looks random and is the same in every run.
pub(super) fn scattered(index: usize) -> usize {
    let mixed = (index as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 33) as usize
}

/// A size from 16 to 2048 bytes, 1 KiB on average.
pub(super) fn small_size(index: usize) -> usize {
    16 + scattered(index) % 2033
}

/// A size from 16 to 2048 bytes, or, for one block in sixteen, from 2 to
/// 128 KiB. About 5 KiB on average.
pub(super) fn mixed_size(index: usize) -> usize {
    let number = scattered(index);
    if number % 16 == 0 {
        2048 + (number / 16) % (126 * 1024)
    } else {
        16 + (number / 16) % 2033
    }
}

/// Number of large blocks of a workload, 60 MiB in all.
pub(super) const LARGE_BLOCKS: usize = 22;

/// A size from 128 KiB to 5 MiB, or, for the last block of a workload, 32 MiB.
pub(super) fn large_size(index: usize) -> usize {
    const SIZES: [usize; 7] = [
        128 << 10,
        (128 << 10) + 1,
        300_000,
        MIB,
        MIB + 1,
        2 * MIB + 8,
        5_000_000,
    ];
    match index {
        21 => 32 * MIB,
        _ => SIZES[index % SIZES.len()],
    }
}

/// Whether a large block of a workload is freed while others of its size stay.
pub(super) fn is_freed_large(index: usize) -> bool {
    index / 7 % 2 == 1
}

/// The number of blocks of these sizes that hold `total` bytes together.
pub(super) fn count_for(total: usize, size_of: impl Fn(usize) -> usize) -> usize {
    let mut sum = 0;
    let reached = |index: &usize| {
        sum += size_of(*index);
        sum >= total
    };
    (0..).find(reached).expect("sizes add up") + 1
}

/// Uses the heap for the first time, since the memory that this takes is not
/// the workload's. All blocks are freed again.
pub(super) fn warm_up(probe: &mut Probe) -> Result<(), Stop> {
    probe.step("use the heap for the first time")?;
    for size in [64, 2000, 100_000] {
        let block = probe.crt.need(size)?;
        probe.crt.free(block)?;
    }
    probe.crt.heapmin()?;
    Ok(())
}

/// Fills 4 MiB with blocks of one size, frees all but one in 1000, and calls `_heapmin`.
/// Returns the table, which has room for all of them.
pub(super) fn leave_few(probe: &mut Probe, size: usize) -> Result<Blocks, Stop> {
    let mut blocks = Blocks::with_room_for(4 * MIB / size)?;
    probe.step(&format!(
        "fill 4 MiB with blocks of {size} bytes, free all but a few, call _heapmin"
    ))?;
    blocks.fill(&probe.crt, |_| size)?;
    blocks.free_where(&probe.crt, |index| index % 1000 != 7)?;
    probe.heapmin()?;
    Ok(blocks)
}

/// Sizes of blocks for [`leave_few`], in bytes.
pub(super) const FEW_SIZES: [usize; 5] = [16, 48, 200, 1000, 4000];

/// Why a clause about memory is not judged.
pub(super) const NOT_MEASURED: &str =
    "memory could not be measured: a control that wrote and released pages was not seen to fall";

/// Judges whether at most `limit` bytes more are resident at the moment `after`
/// than at the moment `baseline`.
pub(super) fn grows_by_at_most(limit: usize, seen: &Seen) -> Judgement {
    let at = |moment| seen.observation.memory(moment).map(|it| it.resident);
    let (Some(before), Some(after)) = (at("baseline"), at("after")) else {
        return Judgement::not_judged(NOT_MEASURED);
    };
    let more = after.saturating_sub(before);
    Judgement::pass_if(
        more <= limit as u64,
        format!("{} more are resident than before", amount(more)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_totals_are_as_documented() {
        let small: Vec<_> = (0..100_000).map(small_size).collect();
        assert!(small.iter().all(|size| (16..=2048).contains(size)));
        let mixed: Vec<_> = (0..100_000).map(mixed_size).collect();
        assert!(mixed.iter().all(|size| (16..=128 * 1024).contains(size)));
        let large = mixed.iter().filter(|size| **size > 2048).count();
        assert!((5_000..8_000).contains(&large), "{large}");
        let total: usize = (0..count_for(MIB, mixed_size)).map(mixed_size).sum();
        assert!((MIB..MIB + 128 * 1024).contains(&total));
        let sum = |part: fn(usize) -> bool| {
            let part = (0..LARGE_BLOCKS).filter(|index| part(*index));
            part.map(large_size).sum::<usize>() / MIB
        };
        assert_eq!((sum(|_| true), sum(is_freed_large)), (59, 41));
    }
}
