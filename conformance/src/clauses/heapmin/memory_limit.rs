//! When memory runs out, `_heapmin` frees enough for the next allocation.

use crate::clause::Section::Remarks;
use crate::clause::check::by;
use crate::clause::{Case, Clause, Judgement, Routine, Seen, should, stated};
use crate::clauses::pages;
use crate::clauses::workload::MIB;
use crate::judge::LOST_BYTES;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::{Probe, Stop};

const HEAPMIN: Routine = Routine {
    name: "_heapmin",
    page: &pages::HEAPMIN,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: _heapmin, malloc
    should(
        HEAPMIN,
        "heapmin.relieves-memory-limit",
        "when small blocks have used up all memory there is and are freed, a large block is to be had after the call",
        stated(Remarks),
        &[&LIMIT],
        &[by(
            "NULL with ENOMEM at the limit; after the blocks are freed and _heapmin was called, a block of 32 MiB",
            relieves,
        )],
    ),
];

static LIMIT: Case = Case::new(
    "memory-limit",
    "limits the address space to 256 MiB more, allocates 1 KiB blocks until NULL, frees them, calls _heapmin, and asks for 32 MiB",
    limit,
);

/// What `_heapmin` returned under the limit.
pub const RETURNED: &str = "returned under the limit";
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
    // The probe may live on this very heap, and needs a little to go on.
    blocks.free_where(&probe.crt, |index| index < 1000)?;
    probe.fact("blocks at the limit", held)?;
    match errno {
        Some(errno) => probe.fact("errno at the limit", errno.unwrap_or(-1).into())?,
        None => {
            let why = "the limit on address space did not make malloc fail";
            return Err(Stop::NotApplicable(why.into()));
        }
    }
    let lost = blocks.lost_bytes();
    probe.step("free the blocks and call _heapmin")?;
    blocks.free_all(&probe.crt)?;
    // Not as a call to be judged: some allocators have too little memory left
    // even for this, in some runs.
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
    let large = fact("large block") == 1;
    let returned = fact(RETURNED);
    let sound = Some(errno) == seen.numbering.number("ENOMEM") && large;
    Judgement::pass_if(
        sound,
        format!(
            "errno {} at the limit; _heapmin returned {returned}; then 32 MiB were {}",
            seen.numbering.describe(errno),
            if large { "to be had" } else { "not to be had" }
        ),
    )
}
