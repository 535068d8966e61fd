//! Blocks of every size and alignment: usable, found again, and checked.

use super::checked::{Checked, State};
use super::report::Misuse;
use crate::alignment::Alignment;
use crate::entry::USED;
use crate::heap::Heap;
use crate::heapwalk::Next;
use crate::lock::Lock;
use rstest::rstest;
use std::ptr;

/// A heap of its own, and which of its blocks are checked.
type Parts = (Heap, Lock<State>);

fn parts() -> Parts {
    (Heap::new(), Lock::new(State::new()))
}

fn checked((heap, state): &Parts) -> Checked<'_> {
    let state = state.lock();
    Checked { heap, state }
}

fn bytes(block: *mut u8, len: usize) -> &'static mut [u8] {
    // SAFETY: the tests pass blocks of at least that many bytes, or bytes of zones.
    unsafe { std::slice::from_raw_parts_mut(block, len) }
}

/// Changes one byte at a distance from a block.
fn damage(block: *mut u8, distance: isize) {
    bytes(block.wrapping_offset(distance), 1)[0] ^= 1;
}

fn natural(heap: &mut Checked, size: usize) -> *mut u8 {
    heap.allocate(size, Alignment::NATURAL).unwrap().unwrap()
}

#[rstest]
fn a_block_is_aligned_and_zero_and_its_own_until_it_is_free(
    #[values(1, 16, 24, 100, 4096, 8192, 10_000, 300_000)] size: usize,
    #[values(8, 16, 64, 4096, 65_536, 1 << 20)] alignment: usize,
    #[values(0, 5, 4090)] offset: usize,
) {
    let parts = parts();
    let mut heap = checked(&parts);
    let asked = Alignment::new(alignment, offset).unwrap();
    // Blocks at many places of a span.
    let blocks: Vec<_> = (0..40)
        .map(|_| heap.allocate(size, asked).unwrap().unwrap())
        .collect();
    for (number, &block) in blocks.iter().enumerate() {
        assert_eq!((block as usize + offset) % alignment, 0);
        assert!(bytes(block, size).iter().all(|&byte| byte == 0));
        bytes(block, size).fill(number as u8 + 1);
        assert_eq!(heap.size_of(block), Some(size));
        assert_eq!(heap.size_of(block.wrapping_add(1)), None);
    }
    for (number, &block) in blocks.iter().enumerate() {
        assert!(
            bytes(block, size)
                .iter()
                .all(|&byte| byte == number as u8 + 1)
        );
        heap.free(block).unwrap();
        assert_eq!(heap.size_of(block), None);
        assert_eq!(heap.free(block), Err(Misuse::DoubleFree(block)));
    }
    heap.settle().unwrap();
    assert!(matches!(heap.entry_after(ptr::null()), Next::End));
    let gone = blocks[7];
    assert_eq!(heap.free(gone), Err(Misuse::FreeOfNoBlock(gone)));
}

#[rstest]
fn blocks_of_size_0_have_distinct_addresses_and_the_alignment(
    #[values(8, 64, 4096, 1 << 20)] alignment: usize,
    #[values(0, 40)] offset: usize,
) {
    let parts = parts();
    let mut heap = checked(&parts);
    let asked = Alignment::new(alignment, offset).unwrap();
    // More than begin in a page without access.
    let mut blocks: Vec<_> = (0..1100)
        .map(|_| heap.allocate(0, asked).unwrap().unwrap())
        .collect();
    let aligned = |block: &*mut u8| (*block as usize + offset).is_multiple_of(alignment);
    assert!(blocks.iter().all(aligned));
    blocks.iter().for_each(|&block| heap.free(block).unwrap());
    let last = blocks[1099];
    assert_eq!(heap.free(last), Err(Misuse::DoubleFree(last)));
    blocks.sort_unstable();
    blocks.dedup();
    assert_eq!(blocks.len(), 1100);
    heap.settle().unwrap();
    assert!(matches!(heap.entry_after(ptr::null()), Next::End));
}

#[rstest]
fn a_byte_written_around_a_block_is_found(
    #[values(0, 1, 15, 16, 24, 100, 4000, 8192, 300_000)] size: usize,
    #[values(16, 4096)] alignment: usize,
    #[values(0, 1, 31)] distance: isize,
) {
    let asked = Alignment::new(alignment, 0).unwrap();
    let new = |heap: &mut Checked| heap.allocate(size, asked).unwrap().unwrap();
    if size > 0 {
        let parts = parts();
        let mut heap = checked(&parts);
        let block = new(&mut heap);
        damage(block, size as isize + distance);
        let past = Err(Misuse::WrittenPast(block, size));
        assert_eq!((heap.settle(), heap.free(block)), (past, past));
    }
    let parts = parts();
    let mut heap = checked(&parts);
    let block = new(&mut heap);
    damage(block, -1 - distance);
    assert_eq!(heap.settle(), heap.free(block));
    assert!(matches!(heap.free(block), Err(Misuse::WrittenBefore(_))));
}

#[rstest]
fn a_byte_written_after_free_is_found(
    #[values(1, 24, 4000, 300_000)] size: usize,
    #[values(false, true)] last: bool,
) {
    let parts = parts();
    let mut heap = checked(&parts);
    let block = natural(&mut heap, size);
    heap.free(block).unwrap();
    damage(block, if last { size as isize - 1 } else { 0 });
    let late = Err(Misuse::WrittenAfterFree(block, size));
    assert_eq!(heap.settle(), late);
    assert_eq!(heap.empty_aside(), late);
}

#[rstest]
#[case(24, 10)]
#[case(24, 100)]
#[case(24, 300_000)]
#[case(300_000, 24)]
fn a_resized_block_moves_and_keeps_its_bytes(#[case] old: usize, #[case] new: usize) {
    let parts = parts();
    let mut heap = checked(&parts);
    let block = natural(&mut heap, old);
    bytes(block, old).fill(7);
    let moved = heap.reallocate(block, new, Alignment::NATURAL);
    let moved = moved.unwrap().unwrap();
    assert_ne!(moved, block);
    let (kept, added) = bytes(moved, new).split_at(old.min(new));
    assert!(kept.iter().all(|&byte| byte == 7) && added.iter().all(|&byte| byte == 0));
    assert_eq!(heap.free(block), Err(Misuse::DoubleFree(block)));
}

#[test]
fn a_block_resized_in_place_is_checked_by_its_new_size() {
    let parts = parts();
    let mut heap = checked(&parts);
    let block = natural(&mut heap, 5000);
    bytes(block, 5000).fill(7);
    assert_eq!(heap.resize_in_place(block, 100), Ok(true));
    assert_eq!(heap.resize_in_place(block, 200), Ok(true));
    assert_eq!(heap.resize_in_place(block, 1 << 20), Ok(false));
    assert!(bytes(block, 100).iter().all(|&byte| byte == 7));
    assert!(bytes(block, 200)[100..].iter().all(|&byte| byte == 0));
    damage(block, 200);
    let past = Err(Misuse::WrittenPast(block, 200));
    assert_eq!(heap.resize_in_place(block, 300), past.map(|()| true));
}

#[test]
fn the_walk_lists_the_blocks_of_the_program_only() {
    let parts = parts();
    let mut heap = checked(&parts);
    let mut blocks: Vec<_> = [24, 300, 300_000, 0, 24, 9000]
        .map(|size| (natural(&mut heap, size), size))
        .into();
    let (freed, _) = blocks.remove(1);
    heap.free(freed).unwrap();
    blocks.sort_unstable();
    let mut at = ptr::null();
    let next = || {
        let Next::Entry(entry) = heap.entry_after(at) else {
            return None;
        };
        at = entry.address;
        Some(entry)
    };
    let used = std::iter::from_fn(next).filter(|entry| entry.use_flag == USED);
    let found: Vec<_> = used.map(|entry| (entry.address, entry.size)).collect();
    assert_eq!(found, blocks);
}

#[test]
fn a_freed_block_is_not_used_again_soon() {
    let parts = parts();
    let mut heap = checked(&parts);
    let block = natural(&mut heap, 24);
    heap.free(block).unwrap();
    for _ in 0..8000 {
        let other = natural(&mut heap, 24);
        assert_ne!(other, block);
        heap.free(other).unwrap();
    }
}

#[test]
fn each_call_checks_the_blocks_that_were_allocated_or_freed_last() {
    let parts = parts();
    let mut heap = checked(&parts);
    let blocks = [(); 16].map(|()| natural(&mut heap, 24));
    damage(blocks[0], 24);
    let past = Misuse::WrittenPast(blocks[0], 24);
    let wished = heap.allocate(24, Alignment::NATURAL);
    assert_eq!(wished, Err(past));
    assert_eq!(heap.free(blocks[1]), Err(past));
    assert_eq!(heap.resize_in_place(blocks[1], 20), Err(past));
    damage(blocks[0], 24);
    heap.free(blocks[1]).unwrap();
    damage(blocks[1], 23);
    let late = Misuse::WrittenAfterFree(blocks[1], 24);
    assert_eq!(heap.free(blocks[2]), Err(late));
}

#[test]
fn a_resize_checks_the_block() {
    let parts = parts();
    let mut heap = checked(&parts);
    let block = natural(&mut heap, 24);
    (0..16).for_each(|_| _ = natural(&mut heap, 24));
    damage(block, 24);
    let past = Misuse::WrittenPast(block, 24);
    assert_eq!(heap.resize_in_place(block, 30), Err(past));
    assert_eq!(heap.reallocate(block, 30, Alignment::NATURAL), Err(past));
}

#[test]
fn a_block_is_zero_where_an_earlier_one_had_its_zone() {
    let parts = parts();
    let mut heap = checked(&parts);
    let earlier = natural(&mut heap, 1);
    heap.free(earlier).unwrap();
    heap.settle().unwrap();
    let block = natural(&mut heap, 16);
    assert_eq!(block, earlier, "both fit in the same slot");
    assert!(bytes(block, 16).iter().all(|&byte| byte == 0));
}
