//! Blocks of more than 2 GiB and 4 GiB, whose sizes do not fit in 31 or 32 bits.

use super::MALLOC;
use crate::clause::Section::Remarks;
use crate::clause::check::none_of;
use crate::clause::{Case, Clause, derived, must};
use crate::clauses::pages;
use heapmin_harness::memory::available_memory;
use heapmin_harness::probe::{Probe, Stop};

pub(crate) static CLAUSES: &[Clause] = &[must(
    MALLOC,
    "malloc.large-blocks",
    "malloc gives blocks over 2 GiB and over 4 GiB all their bytes, where the system has memory for them",
    derived(
        Remarks,
        "a block has at least size bytes, whatever size is up to _HEAP_MAXREQ",
    )
    .and(&pages::HEAP_MAXREQ, Remarks),
    &[&OVER_2_GIB, &OVER_4_GIB],
    &[none_of(TOO_SMALL, MARKS), none_of(CHANGED, MARKS)],
)];

static OVER_2_GIB: Case = Case::new(
    "malloc-over-2-gib",
    "allocates 2 GiB and 100 bytes, and writes and reads bytes at its start, at its end and around the powers of two",
    |probe| large(probe, (2 << 30) + 100),
);

static OVER_4_GIB: Case = Case::new(
    "malloc-over-4-gib",
    "allocates 4 GiB and 100 bytes, and writes and reads bytes at its start, at its end and around the powers of two",
    |probe| large(probe, (4 << 30) + 100),
);

const TOO_SMALL: &str = "blocks with fewer bytes than requested";
const CHANGED: &str = "bytes changed";
const MARKS: &str = "bytes written";
/// Memory that is left to the rest of the system, in bytes.
const MARGIN: u64 = 1 << 30;

fn large(probe: &mut Probe, size: u64) -> Result<(), Stop> {
    let not_here = |why: String| Err(Stop::NotJudged(why));
    let gib = size >> 30;
    // A 32-bit program has no such block: its addresses have other parts of it too.
    let Some(bytes) = usize::try_from(size).ok().filter(|_| usize::BITS == 64) else {
        return Err(Stop::NotApplicable(format!(
            "a block of {gib} GiB does not fit in the addresses of a 32-bit program"
        )));
    };
    match available_memory() {
        Some(available) if available > size + MARGIN => {}
        Some(available) => {
            let mib = available >> 20;
            return not_here(format!(
                "a block of {gib} GiB needs more memory than the {mib} MiB that are available"
            ));
        }
        None => return not_here("the system does not say how much memory is available".into()),
    }
    probe.step(&format!("allocate {size} bytes"))?;
    let mut block = probe.crt.need(bytes)?;
    let too_small = match probe.crt.msize(&block) {
        Ok(size) => size < bytes,
        Err(_) => false,
    };
    // Bytes that would be the same byte if an address lost its upper bits, each
    // with its own value. Writing every page would take seconds.
    let powers = (12..usize::BITS)
        .map(|bit| 1usize << bit)
        .take_while(|power| *power < bytes);
    let around = powers.flat_map(|power| [power - 1, power, power + 1]);
    let marks: Vec<usize> = [0, bytes - 1]
        .into_iter()
        .chain(around)
        .filter(|offset| *offset < bytes)
        .collect();
    probe.step("write and read")?;
    for (value, offset) in marks.iter().enumerate() {
        block.write_byte(*offset, value as u8 + 1);
    }
    let changed = marks
        .iter()
        .enumerate()
        .filter(|(value, offset)| block.read_byte(**offset) != *value as u8 + 1)
        .count();
    probe.step("free it")?;
    probe.crt.free(block)?;
    probe.fact(TOO_SMALL, too_small.into())?;
    probe.fact(CHANGED, changed as i64)?;
    probe.fact(MARKS, marks.len() as i64)
}
