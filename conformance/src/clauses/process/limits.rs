//! Limits of the process: address space, data, and the size of a core file.

use super::{PROCESS, need};
use crate::clause::Section::Description;
use crate::clause::check::by;
use crate::clause::{Case, Clause, Judgement, Seen, limited, should};
use crate::clauses::workload::MIB;
use crate::clauses::{limits, pages};
use heapmin_harness::parent::process_limit::Resource;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::process::{core_size, threads_with_stacks};
use heapmin_harness::probe::{Probe, Stop};

pub(crate) static CLAUSES: &[Clause] = &[
    should(
        PROCESS,
        "process.usable-under-address-limit",
        "a process under a limit on address space gets blocks from the heap",
        limited(Description, &limits::MEBIBYTE_OF_BLOCKS).on(&pages::GETRLIMIT),
        ADDRESS_LIMITS,
        &[by("1000 blocks of 1 KiB under the limit", all_blocks)],
    ),
    should(
        PROCESS,
        "process.leaves-address-space",
        "a heap that holds 1 MiB of blocks under a limit on address space leaves enough of it for the stacks of threads",
        limited(Description, &limits::QUARTER_FOR_STACKS).on(&pages::GETRLIMIT),
        ADDRESS_LIMITS,
        &[by(
            "four threads whose stacks are a quarter of the limit",
            all_threads,
        )],
    ),
    should(
        PROCESS,
        "process.usable-under-data-limit",
        "a process under a limit on its data gets blocks from the heap",
        limited(Description, &limits::MEBIBYTE_OF_BLOCKS).on(&pages::GETRLIMIT),
        &[&DATA, &DATA_PRELOADED],
        &[by("1000 blocks of 1 KiB under the limit", all_blocks)],
    ),
    should(
        PROCESS,
        "process.core-size",
        "a core file of a process whose heap holds 1 MiB of blocks has a useful size: the heap leaves out what it only reserved",
        limited(Description, &limits::CORE_SIZE).on(&pages::CORE),
        &[&CORE, &CORE_PRELOADED],
        &[by("at most 1 GiB", core_is_small)],
    ),
];

static ADDRESS_LIMITS: &[&Case] = &[
    &AT_64,
    &AT_64_PRELOADED,
    &AT_160,
    &AT_160_PRELOADED,
    &AT_640,
    &AT_640_PRELOADED,
    &AT_2304,
    &AT_2304_PRELOADED,
];

macro_rules! under_a_limit {
    ($($name:ident: $case:literal, $summary:literal, $way:ident, $resource:ident, $mib:literal;)*) => {
        $(
            static $name: Case = Case::new($case, $summary, |probe| under_a_limit(probe, $mib))
                .$way()
                .limited(Resource::$resource, $mib);
        )*
    };
}

under_a_limit! {
    AT_64: "process-address-limit-64",
        "allocates 1 MiB in blocks and starts four threads under a limit of 64 MiB of address space",
        by_path, AddressSpace, 64;
    AT_64_PRELOADED: "process-address-limit-64-preloaded",
        "the same, with the library preloaded", preloaded, AddressSpace, 64;
    AT_160: "process-address-limit-160",
        "the same, under a limit of 160 MiB", by_path, AddressSpace, 160;
    AT_160_PRELOADED: "process-address-limit-160-preloaded",
        "the same, with the library preloaded", preloaded, AddressSpace, 160;
    AT_640: "process-address-limit-640",
        "the same, under a limit of 640 MiB", by_path, AddressSpace, 640;
    AT_640_PRELOADED: "process-address-limit-640-preloaded",
        "the same, with the library preloaded", preloaded, AddressSpace, 640;
    AT_2304: "process-address-limit-2304",
        "the same, under a limit of 2304 MiB", by_path, AddressSpace, 2304;
    AT_2304_PRELOADED: "process-address-limit-2304-preloaded",
        "the same, with the library preloaded", preloaded, AddressSpace, 2304;
    DATA: "process-data-limit",
        "the same, under a limit of 96 MiB of data", by_path, Data, 96;
    DATA_PRELOADED: "process-data-limit-preloaded",
        "the same, with the library preloaded", preloaded, Data, 96;
}

static CORE: Case = Case::new(
    "process-core-size",
    "writes a block of 1 MiB and adds up the mappings that a core file would have",
    core,
)
.by_path();
static CORE_PRELOADED: Case = Case::new(
    "process-core-size-preloaded",
    "the same, with the library preloaded",
    core,
)
.preloaded();

const REFUSED_BLOCKS: &str = "blocks refused under the limit";
const STARTED: &str = "threads started under the limit";
const BLOCKS: usize = 1000;
const THREADS: usize = 4;
const CORE_MIB: &str = "MiB in a core file";

fn under_a_limit(probe: &mut Probe, mebibytes: usize) -> Result<(), Stop> {
    probe.step("allocate 1 MiB in blocks")?;
    let mut blocks = Blocks::with_room_for(BLOCKS)?;
    let mut refused = 0;
    for index in 0..BLOCKS {
        match blocks.toggle(&probe.crt, index, 1024) {
            Ok(_) => {}
            Err(Stop::OutOfMemory(_)) => refused += 1,
            Err(other) => return Err(other),
        }
    }
    probe.fact(REFUSED_BLOCKS, refused)?;
    probe.step("start four threads")?;
    let started = threads_with_stacks::<THREADS>(mebibytes * MIB / 4 / THREADS);
    probe.fact(STARTED, started as i64)?;
    blocks.free_all(&probe.crt)
}

fn all_blocks(seen: &Seen) -> Judgement {
    match need(seen, REFUSED_BLOCKS) {
        Err(judgement) => judgement,
        Ok(refused) => Judgement::pass_if(
            refused == 0,
            format!("{refused} of {BLOCKS} blocks were refused"),
        ),
    }
}

fn all_threads(seen: &Seen) -> Judgement {
    match need(seen, STARTED) {
        Err(judgement) => judgement,
        Ok(started) => Judgement::pass_if(
            started == THREADS as i64,
            format!("{started} of {THREADS} threads started"),
        ),
    }
}

fn core(probe: &mut Probe) -> Result<(), Stop> {
    probe.step("write a block of 1 MiB")?;
    let mut block = probe.crt.need(MIB)?;
    block.fill(1);
    probe.fact(CORE_MIB, (core_size()? / MIB as u64) as i64)?;
    probe.crt.free(block)
}

fn core_is_small(seen: &Seen) -> Judgement {
    match need(seen, CORE_MIB) {
        Err(judgement) => judgement,
        Ok(mebibytes) => Judgement::pass_if(
            (0..=1024).contains(&mebibytes),
            format!("a core file would have {mebibytes} MiB"),
        ),
    }
}
