//! A Rust program on the heap: this test.

use heapmin_reference::global_alloc::{HeapminAlloc, blocks, heapchk, heapmin};
use heapmin_reference::heapchk::Condition;
use std::alloc::{GlobalAlloc, Layout};
use std::collections::BTreeMap;
use std::thread;

#[global_allocator]
static HEAP: HeapminAlloc = HeapminAlloc;

#[test]
fn the_blocks_of_a_program_are_listed_and_kept() {
    let kept: Vec<Vec<u8>> = (1..200).map(|size| vec![size as u8; size * 50]).collect();
    drop(vec![1u8; 8 << 20]);
    assert!(heapmin());
    assert_eq!(heapchk(), Condition::Sound);
    let sizes: BTreeMap<usize, usize> = blocks()
        .map(|block| (block.address as usize, block.size))
        .collect();
    for bytes in &kept {
        assert!(sizes[&(bytes.as_ptr() as usize)] >= bytes.len());
        assert!(bytes.iter().all(|byte| *byte == bytes[0]));
    }
}

#[test]
fn a_layout_has_its_alignment_before_and_after_a_resize() {
    for power in 0..16 {
        for size in [1, 100, 5_000, 300_000] {
            let layout = Layout::from_size_align(size, 1 << power).unwrap();
            let larger = Layout::from_size_align(2 * size, 1 << power).unwrap();
            // SAFETY: the layouts have bytes, and each block is used and freed by its own.
            unsafe {
                let block = HEAP.alloc(layout);
                block.write_bytes(7, size);
                let block = HEAP.realloc(block, layout, 2 * size);
                assert_eq!(block as usize % (1 << power), 0);
                let bytes = std::slice::from_raw_parts(block, size);
                assert!(bytes.iter().all(|byte| *byte == 7));
                HEAP.dealloc(block, larger);
                let block = HEAP.alloc_zeroed(layout);
                assert_eq!(block as usize % (1 << power), 0);
                let bytes = std::slice::from_raw_parts(block, size);
                assert!(bytes.iter().all(|byte| *byte == 0));
                HEAP.dealloc(block, layout);
            }
        }
    }
}

#[test]
fn threads_allocate_while_another_gives_memory_back() {
    thread::scope(|scope| {
        for number in 0..4u64 {
            scope.spawn(move || {
                for round in 0..200u64 {
                    let words: Vec<String> = (0..100)
                        .map(|it| format!("{number} {round} {it}"))
                        .collect();
                    assert!(
                        words
                            .iter()
                            .all(|word| word.starts_with(&number.to_string()))
                    );
                }
            });
        }
        for _ in 0..50 {
            assert!(heapmin());
        }
    });
    assert_eq!(heapchk(), Condition::Sound);
}
