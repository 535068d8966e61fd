//! When memory runs out, `_heapmin` releases enough for the next allocation.

use super::HEAPMIN;
use crate::clause::Section::Remarks;
use crate::clause::check::{NO_ERRNO, by};
use crate::clause::{Case, Clause, Judgement, Seen, limited, should};
use crate::clauses::workload::MIB;
use crate::clauses::{limits, pages};
use crate::judge::LOST_BYTES;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::{Probe, Stop};

pub(crate) static CLAUSES: &[Clause] = &[should(
    HEAPMIN,
    "heapmin.relieves-memory-limit",
    "_heapmin makes room for a large block after small blocks used up all memory that the process may have and were freed",
    limited(Remarks, &limits::LARGE_BLOCK_UNDER_LIMIT).and(&pages::MALLOC, Remarks),
    &[&LIMIT],
    &[by(
        "NULL with ENOMEM at the limit, and a block of 32 MiB after the blocks were freed and _heapmin was called",
        relieves,
    )],
)];

static LIMIT: Case = Case::new(
    "memory-limit",
    "limits the address space to 256 MiB more, allocates blocks of 1 KiB until NULL, frees them, calls _heapmin, and allocates 32 MiB",
    limit,
);

/// No place of `errno` is known. No error has this number.
const UNKNOWN: i64 = -1;
const RETURNED: &str = "returned under the limit";
const ROOM: usize = 256 * MIB;
const BLOCK: usize = 1024;
const LARGE: usize = 32 * MIB;

fn limit(probe: &mut Probe) -> Result<(), Stop> {
    let mut blocks = Blocks::with_room_for(ROOM / BLOCK)?;
    probe.step("limit the address space and allocate until there is no more")?;
    probe.limit_address_space(ROOM)?;
    let mut errno = None;
    let mut held = 0;
    for index in 0..blocks.room() {
        probe.crt.set_errno(0);
        match blocks.toggle(&probe.crt, index, BLOCK) {
            Ok(_) => held += 1,
            Err(Stop::OutOfMemory(_)) => {
                errno = Some(probe.crt.errno());
                break;
            }
            Err(other) => return Err(other),
        }
    }
    // The probe itself may use this heap, and needs some memory to continue.
    blocks.free_where(&probe.crt, |index| index < 1000)?;
    probe.fact("blocks at the limit", held)?;
    match errno {
        Some(errno) => {
            let errno = errno.map_or(UNKNOWN, i64::from);
            probe.fact("errno at the limit", errno)?;
        }
        None => {
            let why = "the limit on address space did not make malloc fail";
            return Err(Stop::NotJudged(why.into()));
        }
    }
    let lost = blocks.lost_bytes();
    probe.step("free the blocks and call _heapmin")?;
    blocks.free_all(&probe.crt)?;
    // A fact, not a call, so that the clauses about calls do not judge it: some
    // allocators have too little memory left even for this, in some runs.
    let returned = probe.crt.heapmin()?;
    probe.fact(RETURNED, returned.into())?;
    probe.step("allocate the large block")?;
    let large = probe.crt.malloc(LARGE)?;
    probe.fact("large block", large.is_some().into())?;
    probe.fact(LOST_BYTES, lost)
}

fn relieves(seen: &Seen) -> Judgement {
    let fact = |name| seen.observation.fact(name).unwrap_or(-1);
    let errno = fact("errno at the limit") as i32;
    let is_large_block = fact("large block") == 1;
    if is_large_block && fact("errno at the limit") == UNKNOWN {
        return Judgement::not_judged(NO_ERRNO);
    }
    Judgement::pass_if(
        Some(errno) == seen.numbering.number("ENOMEM") && is_large_block,
        format!(
            "errno {} at the limit; _heapmin returned {}; then malloc returned {} for 32 MiB",
            seen.numbering.describe(errno),
            fact(RETURNED),
            if is_large_block { "a block" } else { "NULL" }
        ),
    )
}
