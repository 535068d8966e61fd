//! Memory is measured as it is. Alone in its process: nothing else may
//! allocate meanwhile.
#![cfg(target_os = "linux")]

use heapmin_harness::parent::memory::Subject;

#[test]
fn memory_that_is_written_is_seen_and_gone_when_unmapped() {
    let subject = Subject::this_process();
    let resident = || subject.measure().expect("Linux tells").resident;
    let size = 64 << 20;
    resident(); // the first call has costs of its own
    let before = resident();
    let mut map = memmap2::MmapMut::map_anon(size).expect("64 MiB to be had");
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
