//! What the routines of POSIX and of the Linux manual return.

use super::{PROCESS, need};
use crate::clause::Section::{Description, ReturnValue};
use crate::clause::check::{by, none_of};
use crate::clause::{Case, Clause, Judgement, Seen, should, stated};
use crate::clauses::pages;
use crate::clauses::sizes::UNAVAILABLE;
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::process::{Posix, host_errno, set_host_errno};
use heapmin_harness::probe::{Probe, Stop};

pub(crate) static CLAUSES: &[Clause] = &[
    should(
        PROCESS,
        "process.aligned-blocks",
        "aligned_alloc, posix_memalign, memalign, valloc and pvalloc give blocks with the alignment of the request, and free takes them",
        stated(Description)
            .on(&pages::POSIX_MEMALIGN_3)
            .and(&pages::POSIX_ALIGNED_ALLOC, Description),
        &[&ALIGNED],
        &[
            none_of(MISALIGNED, BLOCKS),
            none_of(REFUSED, BLOCKS),
            none_of(CHANGED, BLOCKS),
        ],
    ),
    should(
        PROCESS,
        "process.posix-memalign-errors",
        "posix_memalign returns EINVAL for an alignment that is no power of two or no multiple of the size of a pointer, and ENOMEM if there is not enough memory; it does not set errno",
        stated(ReturnValue)
            .on(&pages::POSIX_MEMALIGN_3)
            .and(&pages::POSIX_MEMALIGN, ReturnValue),
        &[&INVALID],
        &[by(
            "EINVAL for 0, 3, half the size of a pointer and 24; ENOMEM for more bytes than any system has; errno as before",
            invalid,
        )],
    ),
    should(
        PROCESS,
        "process.reallocarray-overflow",
        "reallocarray returns NULL with ENOMEM and leaves the block unchanged if the product overflows",
        stated(Description)
            .on(&pages::MALLOC_3)
            .and(&pages::POSIX_REALLOCARRAY, ReturnValue),
        &[&OVERFLOW],
        &[by(
            "NULL, ENOMEM and an unchanged block",
            overflow_is_refused,
        )],
    ),
    should(
        PROCESS,
        "process.usable-size",
        "malloc_usable_size returns 0 for NULL and at least the requested size for a block, and each of these bytes can be written",
        stated(ReturnValue).on(&pages::USABLE_SIZE),
        &[&USABLE],
        &[
            by("0 for NULL", zero_for_null),
            none_of(TOO_SMALL, SIZES_ASKED),
            none_of(NEIGHBOURS, SIZES_ASKED),
        ],
    ),
];

static ALIGNED: Case = Case::new(
    "process-aligned-blocks",
    "allocates blocks with alignments from 8 bytes to 64 KiB by each routine that the library exports, fills, checks and frees them",
    aligned,
)
.by_path();
static INVALID: Case = Case::new(
    "process-posix-memalign-errors",
    "calls posix_memalign with invalid alignments and with more bytes than any system has",
    invalid_alignments,
)
.by_path();
static OVERFLOW: Case = Case::new(
    "process-reallocarray-overflow",
    "resizes a block to products that overflow",
    overflow,
)
.by_path();
static USABLE: Case = Case::new(
    "process-usable-size",
    "writes as many bytes of 300 blocks as malloc_usable_size returns, and checks all of them",
    usable,
)
.by_path();

const MISALIGNED: &str = "misaligned blocks of POSIX";
const REFUSED: &str = "refused blocks of POSIX";
const CHANGED: &str = "bytes changed in blocks of POSIX";
const BLOCKS: &str = "blocks of POSIX";
const PAGE: usize = 4096;

fn aligned(probe: &mut Probe) -> Result<(), Stop> {
    let routines = [
        "aligned_alloc",
        "memalign",
        "valloc",
        "pvalloc",
        "posix_memalign",
    ];
    let (mut misaligned, mut refused, mut changed, mut count) = (0, 0, 0, 0);
    for routine in routines {
        if !Posix::find(&probe.crt)?.has(routine) {
            continue;
        }
        probe.step(routine)?;
        let mut held = Vec::new();
        for power in 3..=16 {
            for factor in [1, 3] {
                let alignment = match routine {
                    "valloc" | "pvalloc" => PAGE,
                    _ => 1 << power,
                };
                let size = factor << power;
                let posix = Posix::find(&probe.crt)?;
                let address = match routine {
                    "posix_memalign" => Some(posix.posix_memalign(alignment, size)?.1),
                    _ => posix.aligned(routine, alignment, size)?,
                };
                count += 1;
                let Some(address) = address.filter(|address| *address != 0) else {
                    refused += 1;
                    continue;
                };
                misaligned += i64::from(address % alignment != 0);
                let mut block = Block::at(address, size);
                block.fill(count as u64);
                held.push((block, count as u64));
            }
        }
        for (block, seed) in held {
            changed += block.lost_bytes(seed) as i64;
            probe.crt.free(block)?;
        }
    }
    if count == 0 {
        return Err(Stop::Missing("aligned_alloc"));
    }
    probe.fact(MISALIGNED, misaligned)?;
    probe.fact(REFUSED, refused)?;
    probe.fact(CHANGED, changed)?;
    probe.fact(BLOCKS, count)
}

const NOT_EINVAL: &str = "invalid alignments without EINVAL";
const NOT_ENOMEM: &str = "impossible sizes without ENOMEM";
const ERRNO_SET: &str = "calls of posix_memalign that changed errno";
const MARK: i32 = 77;
/// The numbers of the host, which has LD_PRELOAD: Linux.
const EINVAL: i32 = 22;
const ENOMEM: i32 = 12;

fn invalid_alignments(probe: &mut Probe) -> Result<(), Stop> {
    let (mut not_einval, mut not_enomem, mut errno_set) = (0, 0, 0);
    let mut call = |probe: &mut Probe, alignment: usize, size: usize| {
        probe.step(&format!("posix_memalign({alignment}, {size})"))?;
        let posix = Posix::find(&probe.crt)?;
        set_host_errno(MARK);
        let (returned, _) = posix.posix_memalign(alignment, size)?;
        errno_set += i64::from(host_errno() != MARK);
        Ok::<i32, Stop>(returned)
    };
    for alignment in [0, 3, size_of::<usize>() / 2, 24] {
        not_einval += i64::from(call(probe, alignment, 100)? != EINVAL);
    }
    not_enomem += i64::from(call(probe, 64, UNAVAILABLE[2])? != ENOMEM);
    probe.fact(NOT_EINVAL, not_einval)?;
    probe.fact(NOT_ENOMEM, not_enomem)?;
    probe.fact(ERRNO_SET, errno_set)
}

fn invalid(seen: &Seen) -> Judgement {
    let facts = [NOT_EINVAL, NOT_ENOMEM, ERRNO_SET];
    judge_zeros(seen, &facts)
}

/// Each of these facts must be 0.
fn judge_zeros(seen: &Seen, facts: &[&str]) -> Judgement {
    let mut observed = Vec::new();
    let mut all = true;
    for fact in facts {
        match need(seen, fact) {
            Err(judgement) => return judgement,
            Ok(count) => {
                all &= count == 0;
                observed.push(format!("{fact}: {count}"));
            }
        }
    }
    Judgement::pass_if(all, observed.join("; "))
}

const NOT_NULL: &str = "blocks for a product that overflows";
const WITHOUT_ENOMEM: &str = "overflows without ENOMEM";
const LOST: &str = "bytes changed by an overflow";

fn overflow(probe: &mut Probe) -> Result<(), Stop> {
    let mut block = probe.crt.need(2000)?;
    block.fill(4);
    let (mut not_null, mut without) = (0, 0);
    let root = 1 << (usize::BITS / 2);
    for (count, size) in [(usize::MAX, 2), (root, root), (usize::MAX / 8 + 2, 8)] {
        probe.step(&format!(
            "reallocarray(block of 2000, {count:#x}, {size:#x})"
        ))?;
        let posix = Posix::find(&probe.crt)?;
        set_host_errno(MARK);
        let new = posix.reallocarray(block.address(), count, size)?;
        without += i64::from(host_errno() != ENOMEM);
        if new != 0 {
            not_null += 1;
            block = Block::at(new, 2000);
        }
    }
    probe.fact(NOT_NULL, not_null)?;
    probe.fact(WITHOUT_ENOMEM, without)?;
    // A smaller block does not have all these bytes.
    let lost = if not_null == 0 {
        block.lost_bytes(4)
    } else {
        0
    };
    probe.fact(LOST, lost as i64)
}

fn overflow_is_refused(seen: &Seen) -> Judgement {
    judge_zeros(seen, &[NOT_NULL, WITHOUT_ENOMEM, LOST])
}

const OF_NULL: &str = "malloc_usable_size(NULL)";
const TOO_SMALL: &str = "usable sizes below the request";
const NEIGHBOURS: &str = "bytes changed within usable sizes";
const SIZES_ASKED: &str = "usable sizes";

fn usable(probe: &mut Probe) -> Result<(), Stop> {
    let posix = Posix::find(&probe.crt)?;
    let of_null = posix.usable_size(0)?;
    probe.fact(OF_NULL, of_null as i64)?;
    let mut held = Vec::with_capacity(300);
    let mut too_small = 0;
    for index in 0..300 {
        let size = 1 + index * index;
        let block = probe.crt.need(size)?;
        let usable = Posix::find(&probe.crt)?.usable_size(block.address())?;
        too_small += i64::from(usable < size);
        let mut block = block.with_size(usable);
        block.fill(index as u64);
        held.push(block);
    }
    let mut changed = 0;
    for (index, block) in held.into_iter().enumerate() {
        changed += block.lost_bytes(index as u64) as i64;
        probe.crt.free(block)?;
    }
    probe.fact(TOO_SMALL, too_small)?;
    probe.fact(NEIGHBOURS, changed)?;
    probe.fact(SIZES_ASKED, 300)
}

fn zero_for_null(seen: &Seen) -> Judgement {
    judge_zeros(seen, &[OF_NULL])
}
