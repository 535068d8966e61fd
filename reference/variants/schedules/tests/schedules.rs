//! Threads at the heap in many orders: a scheduler says at each lock who goes
//! on. Two threads and the first one share two shards, so there are always two
//! that meet in one.

use heapmin_reference_schedules::heap::Heap;
use heapmin_reference_schedules::heapchk::Condition;
use heapmin_reference_schedules::heapwalk::Next;
use shuttle::thread;
use std::sync::Arc;

/// Orders that each test tries, of either kind.
const ORDERS: usize = 2000;
/// How many times a thread is interrupted, at most, in orders of the second kind.
const PREEMPTIONS: usize = 3;

/// Runs a scene in many orders.
fn in_many_orders(scene: fn()) {
    shuttle::check_random(scene, ORDERS);
    shuttle::check_pct(scene, ORDERS, PREEMPTIONS);
}

/// A block that is full of a byte, to be passed between threads.
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

    /// Another size where it stands, if there is room.
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

/// Every record agrees, and nothing lives any more.
fn is_over(heap: &Heap) {
    assert_eq!(heap.check(), Condition::Sound);
    assert!(heap.minimise());
    assert_eq!(heap.check(), Condition::Sound);
    assert_eq!(heap.entry_after(std::ptr::null()), Next::End);
}

#[test]
fn threads_allocate_and_free_in_one_shard_and_another() {
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
        is_over(&heap);
    });
}

#[test]
fn a_thread_frees_what_another_allocates() {
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
        is_over(&heap);
    });
}

#[test]
fn a_release_and_a_walk_while_others_work() {
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
        is_over(&heap);
    });
}

#[test]
fn first_calls_at_the_same_time_make_one_heap() {
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
        is_over(&heap);
    });
}

#[test]
fn of_two_who_free_a_block_one_is_told_that_it_is_none() {
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
