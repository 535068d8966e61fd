//! Threads that allocate, verify, pass on and free blocks, while another thread
//! gives memory back and checks the heap.

use heapmin_reference::heap::Heap;
use heapmin_reference::heapchk::Condition;
use heapmin_reference::heapwalk::Next;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

const THREADS: usize = 4;
const ROUNDS: usize = 20_000;

/// A block to pass between threads: its address, its size, and its fill byte.
struct Parcel(*mut u8, usize, u8);

// SAFETY: a block may be used and freed by any thread.
unsafe impl Send for Parcel {}

impl Parcel {
    fn new(heap: &Heap, size: usize, byte: u8) -> Parcel {
        let address = heap.allocate(size).expect("memory").address;
        // SAFETY: a new block of at least `size` bytes.
        unsafe { address.write_bytes(byte, size) };
        Parcel(address, size, byte)
    }

    fn free(self, heap: &Heap) {
        let Parcel(address, size, byte) = self;
        // SAFETY: a live block of `size` bytes.
        let bytes = unsafe { std::slice::from_raw_parts(address, size) };
        assert!(
            bytes.iter().all(|&b| b == byte),
            "{size} bytes at {address:?}"
        );
        assert!(heap.free(address));
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % limit
    }

    fn size(&mut self) -> usize {
        match self.below(100) {
            0 => self.below(1_000_000),
            1..6 => self.below(100_000),
            _ => self.below(2_000),
        }
    }
}

#[test]
fn blocks_keep_their_bytes_across_threads_and_releases() {
    let heap = Heap::new();
    let post: Mutex<Vec<Parcel>> = Mutex::default();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS)
            .map(|number| {
                let (heap, post) = (&heap, &post);
                scope.spawn(move || {
                    let mut random = Random(number as u64 + 1);
                    let mut own: Vec<Parcel> = Vec::new();
                    for round in 0..ROUNDS {
                        own.push(Parcel::new(heap, random.size(), round as u8));
                        match random.below(3) {
                            0 => post
                                .lock()
                                .unwrap()
                                .push(own.swap_remove(random.below(own.len()))),
                            1 => {
                                let parcel = post.lock().unwrap().pop();
                                parcel.into_iter().for_each(|parcel| parcel.free(heap));
                            }
                            _ => {}
                        }
                        while own.len() > 100 {
                            own.swap_remove(random.below(own.len())).free(heap);
                        }
                    }
                    own.into_iter().for_each(|parcel| parcel.free(heap));
                })
            })
            .collect();
        let keeper = scope.spawn(|| {
            let mut releases = 0;
            while !over.load(Ordering::Relaxed) {
                assert!(heap.minimise());
                assert_ne!(heap.check(), Condition::BadNode);
                let mut at = std::ptr::null();
                // At most 10 entries. The walk may end sooner, because another
                // thread may change the entry that it has reached.
                for _ in 0..10 {
                    match heap.entry_after(at) {
                        Next::Entry(entry) => at = entry.address,
                        _ => break,
                    }
                }
                releases += 1;
                // The other threads wait while this one holds all locks, so it pauses.
                thread::sleep(Duration::from_micros(200));
            }
            releases
        });
        for worker in workers {
            worker.join().unwrap();
        }
        over.store(true, Ordering::Relaxed);
        assert!(keeper.join().unwrap() > 0);
    });
    post.into_inner()
        .unwrap()
        .into_iter()
        .for_each(|parcel| parcel.free(&heap));
    assert!(heap.minimise());
    assert_eq!(heap.check(), Condition::Sound);
    assert_eq!(heap.entry_after(std::ptr::null()), Next::End);
}

/// A block that another thread frees returns to its shard at once.
#[test]
fn blocks_that_another_thread_freed_are_given_back() {
    let heap = Heap::new();
    let parcels: Vec<_> = (0..1000).map(|n| Parcel::new(&heap, 100 + n, 1)).collect();
    thread::scope(|scope| {
        let heap = &heap;
        scope.spawn(move || parcels.into_iter().for_each(|parcel| parcel.free(heap)));
    });
    assert_eq!(heap.entry_after(std::ptr::null()), Next::End);
    assert!(heap.minimise());
    assert_eq!(heap.check(), Condition::Sound);
}

#[test]
fn a_second_free_by_another_thread_is_reported_and_harmless() {
    let heap = Heap::new();
    let parcel = Parcel::new(&heap, 100, 1);
    let kept = Parcel::new(&heap, 100, 2);
    thread::scope(|scope| {
        let (heap, address) = (&heap, parcel.0 as usize);
        scope.spawn(move || {
            assert!(heap.free(address as *mut u8));
            assert!(!heap.free(address as *mut u8));
        });
    });
    assert_eq!(heap.check(), Condition::BadNode);
    kept.free(&heap);
}
