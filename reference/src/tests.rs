//! The heap as a whole: blocks do not overlap, bytes stay, and records agree.

use crate::alignment::Alignment;
use crate::entry::{FREE, USED};
use crate::heap::Heap;
use crate::heapchk::Condition;
use crate::heapwalk::Next;
use crate::layout::{SCATTERED, SPAN_PAGES, SPAN_SIZE};
use crate::os;
use crate::span::{NO_OWNER, SPACE, SpanRef};
use rstest::rstest;
use std::collections::BTreeMap;

/// A live block and the byte it is filled with.
type Blocks = BTreeMap<usize, (usize, u8)>;

fn allocate(heap: &Heap, blocks: &mut Blocks, size: usize, byte: u8) {
    let address = heap.allocate(size).unwrap().address;
    assert!(!address.is_null(), "no memory for {size} bytes");
    assert_eq!(address as usize % 16, 0);
    // SAFETY: a new block of at least `size` bytes.
    unsafe { std::ptr::write_bytes(address, byte, size) };
    assert!(blocks.insert(address as usize, (size, byte)).is_none());
}

fn verify(blocks: &Blocks) {
    for (&address, &(size, byte)) in blocks {
        // SAFETY: a live block of `size` bytes.
        let bytes = unsafe { std::slice::from_raw_parts(address as *const u8, size) };
        assert!(
            bytes.iter().all(|&b| b == byte),
            "{size} bytes at {address:#x}"
        );
    }
}

fn live_in_walk(heap: &Heap) -> BTreeMap<usize, usize> {
    let mut found = BTreeMap::new();
    let mut at = std::ptr::null();
    loop {
        match heap.entry_after(at) {
            Next::Entry(entry) => {
                assert!(
                    entry.address.cast_const() > at,
                    "entries come in address order"
                );
                at = entry.address;
                if entry.use_flag == USED {
                    found.insert(entry.address as usize, entry.size);
                }
            }
            Next::End | Next::Empty => return found,
            Next::BadPointer => panic!("the walk's own entry was refused"),
        }
    }
}

/// A generator of random numbers, the same ones every time.
struct Lcg(u64);

impl Lcg {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % limit
    }
}

#[rstest]
#[case::small(2_000)]
#[case::every_class(40_000)]
#[case::large(300_000)]
#[case::huge(9_000_000)]
fn blocks_keep_their_bytes_under_random_operations(
    #[case] largest: usize,
    #[values(4 << 10, 16 << 10, 64 << 10)] page: usize,
) {
    let _pages = PretendedPages::of(page);
    let heap = Heap::new();
    let mut blocks = Blocks::new();
    let mut random = Lcg(largest as u64);
    let most = (64 << 20) / largest.max(20_000);
    for step in 0..20_000 {
        if random.below(most) >= blocks.len() {
            let size = random.below(largest);
            let byte = random.below(256) as u8;
            if largest < 1_000_000 || step % 10 == 0 {
                allocate(&heap, &mut blocks, size, byte);
            }
        } else {
            let nth = random.below(blocks.len());
            let (&address, _) = blocks.iter().nth(nth).unwrap();
            blocks.remove(&address);
            assert!(heap.free(address as *mut u8));
        }
        if step % 4_000 == 0 {
            assert!(heap.minimise());
            verify(&blocks);
            assert_eq!(heap.check(), Condition::Sound);
            let walked = live_in_walk(&heap);
            assert!(walked.keys().eq(blocks.keys()));
            assert!(walked.iter().all(|(at, size)| *size >= blocks[at].0));
        }
    }
    verify(&blocks);
    for address in blocks.keys() {
        assert!(heap.free(*address as *mut u8));
    }
    assert!(heap.minimise());
    assert!(live_in_walk(&heap).is_empty());
    assert_eq!(heap.check(), Condition::Sound);
}

#[rstest]
fn memory_given_back_is_zero_when_it_is_reused(
    #[values(100, 5_000, 100_000, 9_000_000)] size: usize,
) {
    let heap = Heap::new();
    let mut blocks = Blocks::new();
    allocate(&heap, &mut blocks, size, 0xAA);
    let (&first, _) = blocks.first_key_value().unwrap();
    assert!(heap.free(first as *mut u8));
    assert!(heap.minimise());
    let again = heap.allocate(size).unwrap();
    assert_eq!(again.address as usize, first);
    assert!(size < 10_000 || !again.old_bytes);
    // SAFETY: a live block of `size` bytes.
    let bytes = unsafe { std::slice::from_raw_parts(again.address, size) };
    assert!(bytes.iter().all(|&byte| byte == 0));
}

#[test]
fn memory_not_given_back_may_hold_old_bytes() {
    let heap = Heap::new();
    for size in [100, 100_000, 9_000_000] {
        let first = heap.allocate(size).unwrap();
        assert!(heap.free(first.address));
        assert!(heap.allocate(size).unwrap().old_bytes, "{size}");
    }
}

#[test]
fn a_small_block_reuses_pages_of_a_freed_huge_block() {
    let heap = Heap::new();
    let huge = heap.allocate(9_000_000).unwrap();
    assert!(heap.free(huge.address));
    let small = heap.allocate(100).unwrap();
    assert_eq!(small.address, huge.address);
    assert!(small.old_bytes);
}

#[rstest]
#[case(100, 112, true)]
#[case(100, 113, false)]
#[case(100_000, 262_144, true)]
#[case(100_000, 1_000_000, false)]
#[case(9_000_000, 20_000_000, true)]
#[case(300_000, 70_000, true)]
#[case(300_000, 1_000, true)]
#[case(20_000, 0, true)]
#[case(20_000, 10, true)]
#[case(9_000_000, 4_194_304, true)]
#[case(9_000_000, 1_000, true)]
#[case(9_000_000, 8_500_000, true)]
#[case(9_000_000, 9_175_041, true)]
#[case(9_000_000, usize::MAX / 4 * 3, false)]
fn a_block_is_resized_in_place_if_it_fits(
    #[case] from: usize,
    #[case] to: usize,
    #[case] fits: bool,
) {
    let heap = Heap::new();
    let mut blocks = Blocks::new();
    allocate(&heap, &mut blocks, from, 7);
    let (&address, _) = blocks.first_key_value().unwrap();
    assert_eq!(heap.resize_in_place(address as *mut u8, to), fits);
    let size = heap.locate(address as *const u8).unwrap().size;
    assert!(size >= if fits { to } else { from });
    // Other blocks may now get the memory that this one gave up.
    for size in [100, 100_000, 5_000_000] {
        allocate(&heap, &mut blocks, size, 8);
    }
    assert!(heap.minimise());
    blocks.insert(address, (from.min(to), 7));
    verify(&blocks);
    assert_eq!(heap.check(), Condition::Sound);
}

#[test]
fn freeing_what_is_not_a_block_is_refused_and_reported() {
    let heap = Heap::new();
    assert_eq!(heap.check(), Condition::Empty);
    let block = heap.allocate(100).unwrap().address;
    let outside = 0u8;
    for wild in [
        block.wrapping_add(1),
        block.wrapping_add(112),
        (&raw const outside).cast_mut(),
    ] {
        assert!(!heap.free(wild));
        assert!(heap.locate(wild).is_none());
    }
    assert_eq!(heap.entry_after(block.wrapping_add(1)), Next::BadPointer);
    assert_eq!(heap.check(), Condition::BadNode);
    assert!(heap.free(block));
}

#[test]
fn a_request_larger_than_all_memory_fails() {
    let heap = Heap::new();
    for size in [usize::MAX, usize::MAX - 31, usize::MAX / 4 * 3] {
        assert!(heap.allocate(size).is_none());
    }
    assert!(!heap.allocate(1).unwrap().address.is_null());
}

/// The bytes of a live block.
fn bytes<'a>(address: *const u8, size: usize) -> &'a [u8] {
    // SAFETY: the callers pass a live block of `size` bytes.
    unsafe { std::slice::from_raw_parts(address, size) }
}

#[rstest]
fn an_aligned_block_has_the_requested_alignment(
    #[values(0, 1, 100, 20_000, 200_000, 5_000_000)] size: usize,
    #[values(1, 8, 16, 64, 4096, 65_536, 1 << 20, 1 << 23)] alignment: usize,
    #[values(0, 1, 24, 70_000)] offset: usize,
) {
    let heap = Heap::new();
    let asked = Alignment::new(alignment, offset).unwrap();
    let mut blocks = Blocks::new();
    allocate(&heap, &mut blocks, 100, 1);
    for byte in 2..5 {
        let address = heap.allocate_aligned(size, asked).unwrap().address;
        assert!(!address.is_null());
        assert_eq!((address as usize + offset) % alignment, 0);
        // SAFETY: a new block of at least `size` bytes.
        unsafe { std::ptr::write_bytes(address, byte, size) };
        blocks.insert(address as usize, (size, byte));
        allocate(&heap, &mut blocks, size, byte);
    }
    assert!(heap.minimise());
    verify(&blocks);
    assert_eq!(heap.check(), Condition::Sound);
    assert_eq!(live_in_walk(&heap).len(), blocks.len());
    for &address in blocks.keys() {
        assert!(heap.free_any(address as *mut u8, true));
        assert!(!heap.free_any(address as *mut u8, true));
    }
    assert!(live_in_walk(&heap).is_empty());
}

#[rstest]
#[case::in_a_span(300, 4096)]
#[case::in_pages(100_000, 4096)]
#[case::in_spans(9_000_000, 1 << 23)]
fn any_address_in_a_block_finds_the_block(#[case] size: usize, #[case] alignment: usize) {
    let heap = Heap::new();
    let asked = Alignment::new(alignment, 0).unwrap();
    heap.allocate(size);
    let address = heap.allocate_aligned(size, asked).unwrap().address;
    // Only addresses in the first span of a block find it.
    let seen = size.min(SPAN_SIZE);
    for inside in [0, 1, seen / 2, seen - 1] {
        let live = heap.containing(address.wrapping_add(inside)).unwrap();
        assert_eq!(
            live.base.wrapping_add(live.gap),
            address.wrapping_add(inside)
        );
        assert!(live.base <= address && live.size >= size - inside);
    }
    let live = heap.containing(address).unwrap();
    let after = heap.containing(address.wrapping_add(live.size));
    assert!(after.is_none_or(|other| other.base != live.base));
}

#[test]
fn an_aligned_block_keeps_only_the_pages_that_it_needs() {
    let heap = Heap::new();
    let asked = Alignment::new(1 << 20, 0).unwrap();
    heap.allocate(1);
    let large = heap.allocate_aligned(100, asked).unwrap().address;
    let live = heap.containing(large).unwrap();
    assert_eq!((live.gap, live.size), (0, 4096));
}

#[rstest]
fn bytes_after_the_requested_size_are_zero(#[values(1, 20, 100, 5_000, 20_000)] size: usize) {
    let heap = Heap::new();
    // Two blocks, so that the span and its pages stay when one is freed.
    let (first, other) = (
        heap.allocate(size).unwrap().address,
        heap.allocate(size).unwrap().address,
    );
    let whole = heap.locate(first).unwrap().size;
    for address in [first, other] {
        // SAFETY: a live block of `whole` bytes.
        unsafe { std::ptr::write_bytes(address, 0xAA, whole) };
    }
    assert!(heap.free(first));
    // The slot is among the next.
    let mut next = (0..100).map(|_| heap.allocate(size).unwrap().address);
    let again = next.find(|&address| address == first).unwrap();
    assert!(bytes(again, whole)[size..].iter().all(|&byte| byte == 0));
    assert!(heap.resize_in_place(other, size / 2));
    let whole = heap.locate(other).unwrap().size;
    assert!(
        bytes(other, whole)[size / 2..]
            .iter()
            .all(|&byte| byte == 0)
    );
    assert!(bytes(other, size / 2).iter().all(|&byte| byte == 0xAA));
}

#[test]
fn an_unused_heap_has_no_entries() {
    let heap = Heap::new();
    let outside = 0u8;
    assert_eq!(heap.entry_after(std::ptr::null()), Next::Empty);
    assert_eq!(heap.entry_after(&outside), Next::BadPointer);
    let block = heap.allocate(1).unwrap().address;
    assert!(heap.free(block));
    assert_eq!(heap.entry_after(std::ptr::null()), Next::End);
}

/// The free entries that a walk finds.
fn free_in_walk(heap: &Heap) -> Vec<(*const u8, usize)> {
    let mut found = Vec::new();
    let mut at = std::ptr::null();
    while let Next::Entry(entry) = heap.entry_after(at) {
        at = entry.address;
        if entry.use_flag == FREE {
            found.push((entry.address.cast_const(), entry.size));
        }
    }
    found
}

#[test]
fn free_entries_are_filled_and_later_given_back() {
    let heap = Heap::new();
    let mut blocks = Blocks::new();
    for nth in 0..1000 {
        allocate(&heap, &mut blocks, 10 + nth * 11, 5);
    }
    let mut nth = 0;
    blocks.retain(|&address, _| {
        nth += 1;
        nth % 7 == 0 || !heap.free(address as *mut u8)
    });
    assert!(heap.minimise());
    let resident = |heap: &Heap| -> u32 {
        let arena = &heap.arena;
        let used = arena.numbers(0).filter(|&span| arena.is_used(span));
        used.map(|span| arena.get(span).unwrap().resident.get().count_ones())
            .sum()
    };
    let before = resident(&heap);
    assert!(heap.fill_free(b'Z'));
    let free = free_in_walk(&heap);
    assert!(free.len() > 100);
    for &(address, size) in &free {
        assert!(bytes(address, size).iter().all(|&byte| byte == b'Z'));
    }
    verify(&blocks);
    assert!(resident(&heap) > before);
    assert!(heap.allocate(10_000).unwrap().old_bytes);
    assert!(heap.minimise());
    verify(&blocks);
    assert!(
        resident(&heap) <= before + 4,
        "the new block has up to four pages"
    );
}

/// The record of the nth span that has addresses, to damage it.
fn record(heap: &Heap, nth: usize) -> SpanRef {
    let index = heap.arena.numbers(0).nth(nth).unwrap();
    heap.arena.get(index).unwrap()
}

#[rstest]
#[case::a_count(|heap: &Heap| record(heap, 0).count.set(2))]
#[case::a_page(|heap: &Heap| record(heap, 0).resident.set(0))]
#[case::an_owner(|heap: &Heap| record(heap, 0).owner.set(NO_OWNER))]
#[case::a_run_of_pages(|heap: &Heap| record(heap, 1).body[0].set(1 << 40))]
#[case::a_beginning(|heap: &Heap| record(heap, 1).body[1].set(0))]
#[case::pages_not_resident(|heap: &Heap| record(heap, 1).resident.set(1))]
#[case::no_start(|heap: &Heap| record(heap, 2).body[0].set(0))]
#[case::a_hole(|heap: &Heap| record(heap, 2).body[0].set(0b101))]
#[case::an_end(|heap: &Heap| record(heap, 5).body[0].set(1 << 40))]
#[case::a_larger_size(|heap: &Heap| record(heap, 2).body[2].set(9_000_000))]
#[case::a_smaller_size(|heap: &Heap| record(heap, 2).body[2].set(1))]
#[case::no_size(|heap: &Heap| record(heap, 2).body[2].set(0))]
#[case::an_inner_span(|heap: &Heap| record(heap, 3).owner.set(SPACE))]
fn a_damaged_record_is_reported_and_the_heap_stays_usable(#[case] damage: fn(&Heap)) {
    let heap = Heap::new();
    heap.allocate(100);
    heap.allocate(100_000);
    heap.allocate(1_000_000);
    assert_eq!(heap.check(), Condition::Sound);
    damage(&heap);
    assert_eq!(heap.check(), Condition::BadNode);
    live_in_walk(&heap);
    let block = heap.allocate(1000).unwrap().address;
    assert!(heap.free(block));
}

#[test]
fn a_class_that_does_not_exist_is_reported() {
    let heap = Heap::new();
    heap.allocate(100);
    record(&heap, 0).kind.set(200);
    assert_eq!(heap.check(), Condition::BadNode);
}

#[test]
fn a_large_block_that_would_end_past_the_heap_is_reported() {
    let heap = Heap::new();
    heap.allocate(64 * SPAN_SIZE);
    assert_eq!(heap.check(), Condition::Sound);
    record(&heap, 0).body[2].set(64 * SPAN_PAGES as u64 + 1);
    assert_eq!(heap.check(), Condition::BadNode);
}

#[rstest]
#[case::larger(5_000_000, 20_000_000)]
#[case::in_the_middle_of_a_page(5_000_001, 5_300_000)]
#[case::smaller(20_000_000, 5_000_000)]
fn a_large_block_that_moves_keeps_its_bytes(#[case] from: usize, #[case] to: usize) {
    let heap = Heap::new();
    let mut blocks = Blocks::new();
    allocate(&heap, &mut blocks, from, 7);
    let (&old, _) = blocks.first_key_value().unwrap();
    allocate(&heap, &mut blocks, 1_000_000, 8); // the next spans, so that the block moves
    let live = heap.locate(old as *const u8).unwrap();
    let new = heap.reallocate(live, to, Alignment::NATURAL).unwrap();
    assert_ne!(new as usize, old);
    assert!(heap.locate(old as *const u8).is_none());
    blocks.remove(&old);
    blocks.insert(new as usize, (from.min(to), 7));
    verify(&blocks);
    let size = heap.locate(new).unwrap().size;
    assert!(
        bytes(new, size)[from.min(to)..]
            .iter()
            .all(|&byte| byte == 0)
    );
    assert_eq!(heap.check(), Condition::Sound);
    assert!(heap.minimise());
    verify(&blocks);
    allocate(&heap, &mut blocks, from, 9);
    verify(&blocks);
}

#[test]
fn a_block_that_moves_again_and_again_keeps_its_bytes() {
    let heap = Heap::new();
    let mut blocks = Blocks::new();
    let mut size = 2 << 20;
    allocate(&heap, &mut blocks, size, 7);
    for round in 8..12 {
        let (&old, _) = blocks.first_key_value().unwrap();
        // It fits only after the block, which therefore moves.
        heap.allocate(size).unwrap();
        let live = heap.locate(old as *const u8).unwrap();
        size *= 2;
        let new = heap.reallocate(live, size, Alignment::NATURAL).unwrap();
        assert_ne!(new as usize, old);
        blocks.remove(&old);
        blocks.insert(new as usize, (size / 2, round - 1));
        verify(&blocks);
        // The pages after the moved ones belong to another mapping of the system.
        // SAFETY: a live block of this size.
        unsafe { std::ptr::write_bytes(new, round, size) };
        blocks.insert(new as usize, (size, round));
    }
    assert_eq!(heap.check(), Condition::Sound);
}

#[test]
fn spans_that_a_shrunk_block_gave_up_are_reused() {
    let heap = Heap::new();
    let huge = heap.allocate(12 << 20).unwrap().address;
    assert!(heap.resize_in_place(huge, 1000));
    let next = heap.allocate(8 << 20).unwrap().address;
    assert_eq!(next, huge.wrapping_add(SPAN_SIZE));
    assert_eq!(heap.check(), Condition::Sound);
}

/// Larger pages of the system until the end of a test, as far as the heap can see. On
/// 32-bit systems they stay as they are: addresses that the system chooses there are
/// multiples of its own pages only.
struct PretendedPages;

impl PretendedPages {
    fn of(size: usize) -> PretendedPages {
        if !SCATTERED {
            os::PRETENDED_PAGE.set(size.max(os::page_size()));
        }
        PretendedPages
    }
}

impl Drop for PretendedPages {
    fn drop(&mut self) {
        os::PRETENDED_PAGE.set(0);
    }
}

/// Whether any byte of whole pages is resident.
#[cfg(target_os = "linux")]
fn is_resident(base: *const u8, len: usize) -> bool {
    let mut pages = vec![0; len / 4096];
    // SAFETY: the kernel writes a byte for each page, of which none is smaller than 4 KiB.
    let result = unsafe { libc::mincore(base.cast_mut().cast(), len, pages.as_mut_ptr()) };
    assert_eq!(result, 0, "{base:?} has addresses");
    pages.iter().any(|page| page & 1 != 0)
}

#[cfg(target_os = "linux")]
#[rstest]
fn pages_of_the_system_are_kept_exactly_if_they_hold_a_block(
    #[values(4 << 10, 16 << 10, 64 << 10)] page: usize,
) {
    let _pages = PretendedPages::of(page);
    let heap = Heap::new();
    let mut blocks = Blocks::new();
    let mut random = Lcg(page as u64);
    for largest in [300, 9_000, 60_000, 1_000_000] {
        for _ in 0..300 {
            allocate(&heap, &mut blocks, 1 + random.below(largest), 1);
        }
    }
    blocks.retain(|&address, _| random.below(8) == 0 || !heap.free(address as *mut u8));
    assert!(heap.minimise());
    verify(&blocks);
    let size = os::page_size();
    let mut held = std::collections::BTreeSet::new();
    for &address in blocks.keys() {
        let end = address + heap.locate(address as *const u8).unwrap().size;
        held.extend(address / size..end.div_ceil(size));
    }
    for span in heap.arena.numbers(0) {
        let base = heap.arena.page_in(span, 0) as usize;
        for at in (base..base + SPAN_SIZE).step_by(size) {
            let is_held = held.contains(&(at / size));
            assert_eq!(is_resident(at as *const u8, size), is_held, "{at:#x}");
        }
    }
}

#[cfg(target_os = "linux")]
#[rstest]
fn a_heap_without_a_live_block_keeps_no_page_of_lines_and_records(
    #[values(4 << 10, 16 << 10, 64 << 10)] page: usize,
) {
    let _pages = PretendedPages::of(page);
    let heap = Heap::new();
    let blocks: Vec<_> = (0..300_000).map(|_| heap.allocate(16).unwrap()).collect();
    let window = &heap.arena.window;
    let span = record(&heap, 0);
    let records = (&raw const *span) as usize / os::page_size() * os::page_size();
    let is_resident = || {
        let lines = (window.lines_of(0), 64 << 10);
        [lines, (records as *mut u8, os::page_size())].map(|(base, len)| is_resident(base, len))
    };
    assert_eq!(is_resident(), [true, true]);
    assert!(blocks.iter().all(|block| heap.free(block.address)));
    assert!(heap.minimise());
    assert_eq!(is_resident(), [false, false]);
}

/// More than a heap takes at once.
const MUCH: usize = if SCATTERED { 200 << 20 } else { 1 << 30 };

/// Bytes of spans that have addresses.
fn addresses(heap: &Heap) -> usize {
    heap.arena.numbers(0).count() * SPAN_SIZE
}

#[cfg(any(target_os = "linux", target_pointer_width = "32"))]
#[test]
fn address_space_is_taken_by_need_and_given_back() {
    let heap = Heap::new();
    heap.allocate(100);
    assert!(addresses(&heap) <= 1 << 20);
    let large = heap.allocate(MUCH).unwrap().address;
    assert!(addresses(&heap) > MUCH);
    assert!(heap.free(large));
    assert!(heap.minimise());
    assert!(addresses(&heap) <= 16 << 20);
    assert_eq!(heap.check(), Condition::Sound);
    assert!(!heap.allocate(MUCH).unwrap().old_bytes);
}

#[cfg(target_os = "linux")]
#[test]
fn a_heap_without_a_live_block_gives_everything_back() {
    let heap = Heap::new();
    let blocks = [100, 5_000, 300_000, MUCH].map(|size| heap.allocate(size).unwrap().address);
    let arena = &heap.arena;
    if arena.window.is_reserved() != SCATTERED {
        return; // the heaps of other tests have all windows
    }
    let (last, others) = blocks.split_last().unwrap();
    assert!(others.iter().all(|&block| heap.free(block)));
    heap.withdraw();
    assert!(heap.locate(*last).is_some(), "a live block stays");
    assert!(heap.free(*last));
    heap.withdraw();
    assert_eq!((arena.top(), addresses(&heap)), (0, 0));
    assert!(heap.locate(*last).is_none());
    assert!(heap.allocate(100).is_some(), "the heap can be used again");
}

/// What another part of the program has in the way of the heap stays as it is.
#[cfg(target_pointer_width = "32")]
#[rstest]
fn a_heap_grows_around_what_others_have(#[values(100, 50_000_000)] size: usize) {
    let heap = Heap::new();
    heap.allocate(SPAN_SIZE);
    let next = heap.arena.numbers(0).last().unwrap() + 1;
    let place = heap.arena.page_in(next, 0);
    // SAFETY: nothing uses these addresses, or the call changes nothing.
    assert!(unsafe { os::extend(place, SPAN_SIZE, false) });
    let mut blocks = Blocks::new();
    for _ in 0..8 {
        allocate(&heap, &mut blocks, SPAN_SIZE.max(size), 1);
    }
    assert!(addresses(&heap) >= 8 * SPAN_SIZE.max(size));
    assert!(heap.arena.numbers(0).all(|number| number != next));
    verify(&blocks);
    assert_eq!(heap.check(), Condition::Sound);
    assert_eq!(live_in_walk(&heap).len(), 1 + blocks.len());
    assert!(blocks.keys().all(|&block| heap.free(block as *mut u8)));
    assert!(heap.minimise());
    assert_eq!(addresses(&heap), SPAN_SIZE, "that of the first block");
    // SAFETY: taken above.
    assert!(unsafe { os::withdraw(place, SPAN_SIZE, false) });
    allocate(&heap, &mut Blocks::new(), 8 * SPAN_SIZE, 2);
    assert!(
        heap.arena.numbers(0).any(|number| number == next),
        "the gap is used"
    );
}
