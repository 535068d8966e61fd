//! Threads on the heap in many orders: at each lock, a scheduler chooses which
//! thread continues. The heap has two shards here, so that threads share a shard
//! even in a test with few threads.

use heapmin_reference_schedules::heap::Heap;
use heapmin_reference_schedules::heapchk::Condition;
use heapmin_reference_schedules::heapwalk::Next;
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::thread;
use shuttle::{Config, Runner};
use std::sync::Arc;

/// Number of orders that each test tries with each of the two schedulers.
const ORDERS: usize = 2000;
/// Largest number of preemptions in an order of the second scheduler.
const PREEMPTIONS: usize = 3;

/// Runs a scene in many orders, with both schedulers.
fn in_many_orders(scene: fn()) {
    // A heap is made on the stack, before `Arc` has it.
    let mut config = Config::new();
    config.stack_size = 256 << 10;
    Runner::new(RandomScheduler::new(ORDERS), config.clone()).run(scene);
    Runner::new(PctScheduler::new(PREEMPTIONS, ORDERS), config).run(scene);
}

/// A block full of one byte, to pass between threads.
struct Block {
    address: *mut u8,
    size: usize,
    byte: u8,
}

// SAFETY: a block may be used and freed by any thread.
unsafe impl Send for Block {}

impl Block {
    fn new(heap: &Heap, size: usize, byte: u8) -> Block {
        let address = heap.allocate(size).expect("memory").address;
        // SAFETY: a new block of at least `size` bytes.
        unsafe { address.write_bytes(byte, size) };
        Block {
            address,
            size,
            byte,
        }
    }

    fn verify(&self) {
        // SAFETY: a live block of `size` bytes.
        let bytes = unsafe { std::slice::from_raw_parts(self.address, self.size) };
        assert!(bytes.iter().all(|&byte| byte == self.byte));
    }

    /// Resizes the block in place, if there is room.
    fn resize(&mut self, heap: &Heap, size: usize) {
        if heap.resize_in_place(self.address, size) {
            self.size = self.size.min(size);
            self.verify();
            // SAFETY: a live block of `size` bytes now.
            unsafe { self.address.write_bytes(self.byte, size) };
            self.size = size;
        }
    }

    fn free(self, heap: &Heap) {
        self.verify();
        assert!(heap.free(self.address));
    }
}

/// Asserts that the records agree and no block is live.
fn assert_empty(heap: &Heap) {
    assert_eq!(heap.check(), Condition::Sound);
    assert!(heap.minimise());
    assert_eq!(heap.check(), Condition::Sound);
    assert_eq!(heap.entry_after(std::ptr::null()), Next::End);
}

#[test]
fn threads_that_share_a_shard_keep_the_heap_sound() {
    in_many_orders(|| {
        let heap = Arc::new(Heap::new());
        let threads: Vec<_> = (0..3u8)
            .map(|byte| {
                let heap = heap.clone();
                thread::spawn(move || {
                    let first = Block::new(&heap, 100, byte);
                    let second = Block::new(&heap, 100, byte + 10);
                    first.free(&heap);
                    Block::new(&heap, 3000, byte + 20).free(&heap);
                    second.free(&heap);
                })
            })
            .collect();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        assert_empty(&heap);
    });
}

#[test]
fn a_thread_may_free_what_another_allocated() {
    in_many_orders(|| {
        let heap = Arc::new(Heap::new());
        let own: Vec<Block> = (0..4).map(|byte| Block::new(&heap, 500, byte)).collect();
        let taker = {
            let heap = heap.clone();
            thread::spawn(move || own.into_iter().for_each(|block| block.free(&heap)))
        };
        let more: Vec<Block> = (4..8).map(|byte| Block::new(&heap, 500, byte)).collect();
        taker.join().unwrap();
        more.into_iter().for_each(|block| block.free(&heap));
        assert_empty(&heap);
    });
}

#[test]
fn a_release_and_a_walk_are_sound_while_threads_allocate() {
    in_many_orders(|| {
        let heap = Arc::new(Heap::new());
        let threads: Vec<_> = [(200, 9_000), (20_000, 700_000)]
            .into_iter()
            .map(|(small, large)| {
                let heap = heap.clone();
                thread::spawn(move || {
                    let mut kept = Block::new(&heap, small, 1);
                    let other = Block::new(&heap, large, 2);
                    kept.resize(&heap, small * 2);
                    other.free(&heap);
                    kept.resize(&heap, small / 2);
                    kept.free(&heap);
                })
            })
            .collect();
        assert!(heap.minimise());
        assert_ne!(heap.check(), Condition::BadNode);
        if let Next::Entry(entry) = heap.entry_after(std::ptr::null()) {
            heap.entry_after(entry.address);
        }
        assert!(heap.minimise());
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        assert_empty(&heap);
    });
}

#[test]
fn simultaneous_first_calls_make_one_arena() {
    in_many_orders(|| {
        let heap = Arc::new(Heap::new());
        let threads: Vec<_> = (0..2u8)
            .map(|byte| {
                let heap = heap.clone();
                thread::spawn(move || Block::new(&heap, 50_000, byte))
            })
            .collect();
        assert!(heap.minimise());
        for thread in threads {
            thread.join().unwrap().free(&heap);
        }
        assert_empty(&heap);
    });
}

#[test]
fn only_one_of_two_threads_can_free_a_block() {
    in_many_orders(|| {
        let heap = Arc::new(Heap::new());
        let kept = Block::new(&heap, 100, 1);
        for size in [100, 50_000] {
            let address = Block::new(&heap, size, 2).address as usize;
            let threads = [0, 1].map(|_| {
                let heap = heap.clone();
                thread::spawn(move || heap.free(address as *mut u8))
            });
            let freed = threads.map(|thread| thread.join().unwrap());
            assert_eq!(freed.iter().filter(|&&freed| freed).count(), 1);
        }
        assert_eq!(heap.check(), Condition::BadNode);
        kept.free(&heap);
    });
}
