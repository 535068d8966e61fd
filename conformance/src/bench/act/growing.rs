//! Arrays that grow with `realloc`.

use super::parameters::{MEBIBYTES, SIZE_VARIABLE, number};
use super::timing::{nanoseconds, release};
use heapmin_harness::probe::crt::BareBlock;
use heapmin_harness::probe::{Probe, Stop};
use std::time::Instant;

/// Grows arrays by half, in turn, until each has 4 MiB.
pub(super) fn growing(probe: &mut Probe) -> Result<(), Stop> {
    const LARGEST: usize = 4 << 20;
    let bare = probe.crt.bare()?;
    let count = number(SIZE_VARIABLE, MEBIBYTES) / (LARGEST >> 20);
    let mut arrays: Vec<Option<BareBlock>> = (0..count).map(|_| None).collect();
    probe.moment("baseline")?;
    let start = Instant::now();
    for array in &mut arrays {
        *array = Some(bare.malloc(64)?);
    }
    let mut size = 64;
    while size < LARGEST {
        let grown = (size + size / 2).min(LARGEST);
        for array in &mut arrays {
            let mut block =
                bare.realloc(array.take().expect("every array has its block"), grown)?;
            block.fill_from(size, 3);
            *array = Some(block);
        }
        size = grown;
    }
    let allocate = nanoseconds(start);
    probe.moment("held")?;
    let start = Instant::now();
    arrays
        .drain(..)
        .flatten()
        .for_each(|block| bare.free(block));
    let free = nanoseconds(start);
    let (release, again) = release(bare);
    probe.moment("released")?;
    for (name, value) in [
        ("allocate", allocate),
        ("free", free),
        ("release", release),
        ("again", again),
        ("live pages", 0),
    ] {
        probe.fact(name, value)?;
    }
    Ok(())
}
