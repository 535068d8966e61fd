//! The memory that the parent measures is exact. The test is alone in its process, since
//! nothing else may allocate at the same time.
#![cfg(target_os = "linux")]

use heapmin_harness::parent::memory::Subject;

#[test]
fn memory_counts_from_the_first_write_until_it_is_unmapped() {
    let subject = Subject::this_process();
    let resident = || subject.measure().expect("Linux reports it").resident;
    let size = 64 << 20;
    resident(); // the first call allocates
    let before = resident();
    let mut map = memmap2::MmapMut::map_anon(size).expect("64 MiB are free");
    let reserved = resident();
    map.fill(1);
    let written = resident();
    drop(map);
    let after = resident();
    let slack = 1 << 20;
    assert!(reserved.abs_diff(before) < slack, "{before} {reserved}");
    assert!(
        written.abs_diff(before + size as u64) < slack,
        "{before} {written}"
    );
    assert!(after.abs_diff(before) < slack, "{before} {after}");
}
