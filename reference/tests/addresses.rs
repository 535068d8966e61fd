//! A heap that takes all addresses of a 32-bit program.
#![cfg(target_pointer_width = "32")]

use heapmin_reference::heap::Heap;
use heapmin_reference::heapchk::Condition;

#[test]
fn a_heap_that_took_all_addresses_gives_them_back() {
    let heap = Heap::new();
    let sizes = (0..).map(|nth| nth * 7_919 % (4 << 20) + 1);
    let blocks = sizes.map_while(|size| Some((heap.allocate(size)?.address, size)));
    let blocks: Vec<_> = blocks.collect();
    let total: usize = blocks.iter().map(|(_, size)| size).sum();
    assert!(total > 1 << 30, "{total} bytes");
    assert_eq!(heap.check(), Condition::Sound);
    let (some, others) = blocks.split_at(blocks.len() / 2);
    assert!(some.iter().all(|(address, _)| heap.free(*address)));
    // What is free serves blocks of another size.
    let new = some
        .iter()
        .map(|_| heap.allocate(100_000).expect("memory").address);
    let new: Vec<_> = new.collect();
    let others = others.iter().map(|(address, _)| *address);
    assert!(
        new.into_iter()
            .chain(others)
            .all(|address| heap.free(address))
    );
    assert!(heap.minimise());
    // The system's own heap can have the addresses now, and this one afterwards.
    let mut theirs = Vec::<u8>::new();
    assert!(theirs.try_reserve_exact(300 << 20).is_ok());
    drop(theirs);
    let large = heap.allocate(300 << 20).expect("memory").address;
    assert!(heap.free(large));
    assert_eq!(heap.check(), Condition::Sound);
}
