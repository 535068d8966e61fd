//! The heap as a whole: blocks do not overlap, bytes stay, records agree.

use crate::heap::Heap;
use crate::heapchk::Condition;
use crate::heapwalk::Next;
use rstest::rstest;
use std::collections::BTreeMap;

/// A live block and the byte it is filled with.
type Blocks = BTreeMap<usize, (usize, u8)>;

fn allocate(heap: &mut Heap, blocks: &mut Blocks, size: usize, byte: u8) {
    let address = heap.allocate(size).address;
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
                if entry.used {
                    found.insert(entry.address as usize, entry.size);
                }
            }
            Next::End => return found,
            Next::BadPointer => panic!("the walk's own entry was refused"),
        }
    }
}

/// A random sequence that any reader can repeat: the same numbers every time.
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
fn random_traffic_loses_no_byte(#[case] largest: usize) {
    let mut heap = Heap::new();
    let mut blocks = Blocks::new();
    let mut random = Lcg(largest as u64);
    let most = (64 << 20) / largest.max(20_000);
    for step in 0..20_000 {
        if random.below(most) >= blocks.len() {
            let size = random.below(largest);
            let byte = random.below(256) as u8;
            if largest < 1_000_000 || step % 10 == 0 {
                allocate(&mut heap, &mut blocks, size, byte);
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
fn memory_given_back_comes_again_as_zeros(#[values(100, 5_000, 100_000, 9_000_000)] size: usize) {
    let mut heap = Heap::new();
    let mut blocks = Blocks::new();
    allocate(&mut heap, &mut blocks, size, 0xAA);
    let (&first, _) = blocks.first_key_value().unwrap();
    assert!(heap.free(first as *mut u8));
    assert!(heap.minimise());
    let again = heap.allocate(size);
    assert_eq!(again.address as usize, first);
    assert!(!again.old_bytes);
    // SAFETY: a live block of `size` bytes.
    let bytes = unsafe { std::slice::from_raw_parts(again.address, size) };
    assert!(bytes.iter().all(|&byte| byte == 0));
}

#[test]
fn memory_kept_may_hold_old_bytes() {
    let mut heap = Heap::new();
    for size in [100, 100_000, 9_000_000] {
        let first = heap.allocate(size);
        assert!(heap.free(first.address));
        assert!(heap.allocate(size).old_bytes, "{size}");
    }
}

#[test]
fn spans_find_pages_that_a_huge_block_left() {
    let mut heap = Heap::new();
    let huge = heap.allocate(9_000_000);
    assert!(heap.free(huge.address));
    let small = heap.allocate(100);
    assert_eq!(small.address, huge.address);
    assert!(small.old_bytes);
}

#[rstest]
#[case(100, 112, true)]
#[case(100, 113, false)]
#[case(100_000, 131_072, true)]
#[case(100_000, 131_073, false)]
#[case(300_000, 70_000, true)]
#[case(300_000, 1_000, false)]
#[case(9_000_000, 8_500_000, true)]
#[case(9_000_000, 12_582_912, true)]
#[case(9_000_000, 12_582_913, false)]
fn a_block_is_resized_where_it_fits(#[case] from: usize, #[case] to: usize, #[case] fits: bool) {
    let mut heap = Heap::new();
    let mut blocks = Blocks::new();
    allocate(&mut heap, &mut blocks, from, 7);
    let (&address, _) = blocks.first_key_value().unwrap();
    assert_eq!(heap.resize_in_place(address as *mut u8, to), fits);
    let size = heap.size_of(address as *const u8).unwrap();
    assert!(size >= if fits { to } else { from });
    assert!(heap.minimise());
    blocks.insert(address, (from.min(to), 7));
    verify(&blocks);
    assert_eq!(heap.check(), Condition::Sound);
}

#[test]
fn what_is_not_a_block_is_refused_and_told() {
    let mut heap = Heap::new();
    assert_eq!(heap.check(), Condition::Empty);
    let block = heap.allocate(100).address;
    let outside = 0u8;
    for wild in [
        block.wrapping_add(1),
        block.wrapping_add(112),
        (&raw const outside).cast_mut(),
    ] {
        assert!(!heap.free(wild));
        assert_eq!(heap.size_of(wild), None);
    }
    assert_eq!(heap.entry_after(block.wrapping_add(1)), Next::BadPointer);
    assert_eq!(heap.check(), Condition::BadNode);
    assert!(heap.free(block));
}

#[test]
fn a_request_beyond_all_memory_gets_null() {
    let mut heap = Heap::new();
    for size in [usize::MAX, usize::MAX - 31, usize::MAX / 2] {
        assert!(heap.allocate(size).address.is_null());
    }
    assert!(!heap.allocate(1).address.is_null());
}
