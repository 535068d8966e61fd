//! The routines while the system gives no memory, and after that.

use super::{
    A_BLOCK_OR_ENOMEM, Counts, KEEPS_ERRNO, REQUESTS, Requests, TWO_RESULTS, Way, filled, table,
};
use crate::clause::Section::{Remarks, ReturnValue};
use crate::clause::{Case, Clause, Routine, derived, must};
use crate::clauses::handed_out::is_bad;
use crate::clauses::pages;
use crate::clauses::workload::{mixed_size, scattered};
use heapmin_harness::probe::fault::Plan;
use heapmin_harness::probe::{Probe, Stop};

/// Declares the case of each routine, and its list of clauses.
macro_rules! routines {
    ($($name:ident $static:ident $case:ident $routine:literal $id:literal $case_name:literal [$($more:expr,)*];)*) => {$(
        const $static: Routine = Routine {
            name: $routine,
            page: &pages::$name,
        };
        static $case: Case = Case::new(
            $case_name,
            concat!(
                "refuses every request of the library to the system for memory: at the first call of ",
                $routine,
                ", and then between live blocks, up to 16 MiB; frees blocks meanwhile, and reads all bytes",
            ),
            |probe| refused(probe, &super::$name),
        )
        .fault("out-of-memory");
        pub(crate) static $name: &[Clause] = &[
            must(
                $static,
                $id,
                concat!($routine, " returns a block, or NULL with errno ENOMEM, while the system gives no memory; no live block changes, and the heap works again afterwards"),
                derived(ReturnValue, TWO_RESULTS),
                &[&$case],
                A_BLOCK_OR_ENOMEM,
            ),
            $($more,)*
        ];
    )*};
}

routines! {
    MALLOC ROUTINE_MALLOC CASE_MALLOC "malloc" "malloc.refused-memory" "malloc-refused-memory" [];
    CALLOC ROUTINE_CALLOC CASE_CALLOC "calloc" "calloc.refused-memory" "calloc-refused-memory" [];
    REALLOC ROUTINE_REALLOC CASE_REALLOC "realloc" "realloc.refused-memory" "realloc-refused-memory" [];
    RECALLOC ROUTINE_RECALLOC CASE_RECALLOC "_recalloc" "recalloc.refused-memory" "recalloc-refused-memory" [];
    ALIGNED_MALLOC ROUTINE_ALIGNED_MALLOC CASE_ALIGNED_MALLOC "_aligned_malloc" "aligned-malloc.refused-memory" "aligned-malloc-refused-memory" [];
    ALIGNED_OFFSET_MALLOC ROUTINE_ALIGNED_OFFSET_MALLOC CASE_ALIGNED_OFFSET_MALLOC "_aligned_offset_malloc" "aligned-offset-malloc.refused-memory" "aligned-offset-malloc-refused-memory" [];
    ALIGNED_REALLOC ROUTINE_ALIGNED_REALLOC CASE_ALIGNED_REALLOC "_aligned_realloc" "aligned-realloc.refused-memory" "aligned-realloc-refused-memory" [];
    ALIGNED_OFFSET_REALLOC ROUTINE_ALIGNED_OFFSET_REALLOC CASE_ALIGNED_OFFSET_REALLOC "_aligned_offset_realloc" "aligned-offset-realloc.refused-memory" "aligned-offset-realloc-refused-memory" [];
    ALIGNED_RECALLOC ROUTINE_ALIGNED_RECALLOC CASE_ALIGNED_RECALLOC "_aligned_recalloc" "aligned-recalloc.refused-memory" "aligned-recalloc-refused-memory" [];
    ALIGNED_OFFSET_RECALLOC ROUTINE_ALIGNED_OFFSET_RECALLOC CASE_ALIGNED_OFFSET_RECALLOC "_aligned_offset_recalloc" "aligned-offset-recalloc.refused-memory" "aligned-offset-recalloc-refused-memory" [];
}

pub(crate) static FREE: &[Clause] = &[must(
    Routine {
        name: "free",
        page: &pages::FREE,
    },
    "free.refused-memory",
    "free leaves errno as it was while the system gives no memory",
    derived(Remarks, NO_ERROR).and(&pages::ERRNO, Remarks),
    &[&CASE_MALLOC],
    KEEPS_ERRNO,
)];

pub(crate) static ALIGNED_FREE: &[Clause] = &[must(
    Routine {
        name: "_aligned_free",
        page: &pages::ALIGNED_FREE,
    },
    "aligned-free.refused-memory",
    "_aligned_free leaves errno as it was while the system gives no memory",
    derived(Remarks, NO_ERROR)
        .on(&pages::FREE)
        .and(&pages::ERRNO, Remarks),
    &[&CASE_ALIGNED_MALLOC],
    KEEPS_ERRNO,
)];

const NO_ERROR: &str =
    "free sets errno if an error occurs; a valid block is no error, and to free it needs no memory";

/// The first requests, from a heap that was not used before.
const FIRST: Requests = Requests {
    sizes: &[120, 5000, 1_100_000],
    of_null: &[120, 5000, 1_100_000],
    pairs: &[],
};
/// Sizes of blocks that are allocated before the system refuses, and freed while it does.
const KEPT: [usize; 4] = [120, 5000, 300_000, 1_100_000];
const LARGE: usize = 16 << 20;

fn refused(probe: &mut Probe, way: &Way) -> Result<(), Stop> {
    let mut counts = Counts::default();
    let mut live = table()?;
    probe.prepare_fault_of_requests()?;
    probe.step(&format!("{}, before anything else", way.routine))?;
    let first = counts.call(probe, way, Plan::NoMemory, &FIRST)?;
    counts.free_all(probe, way, Plan::NoMemory, &first)?;
    probe.step("allocate blocks, and free a half of them")?;
    live.fill(&probe.crt, mixed_size)?;
    counts.was_bad = is_bad(&probe.crt);
    live.free_where(&probe.crt, |index| scattered(index) % 2 == 0)?;
    let mut kept = Vec::new();
    for (seed, size) in KEPT.into_iter().enumerate() {
        kept.push(filled(way, &probe.crt, size, seed as u64)?);
    }
    probe.step(&format!("{}, refused", way.routine))?;
    let blocks = counts.call(probe, way, Plan::NoMemory, &REQUESTS)?;
    probe.step("a large block, refused")?;
    let (large, met) = probe.under(Plan::NoMemory, |crt| (way.fresh)(crt, LARGE))?;
    counts.refusals += i64::from(met.refused);
    probe.step("free the blocks, refused")?;
    counts.free_all(probe, way, Plan::NoMemory, &blocks)?;
    counts.free_all(probe, way, Plan::NoMemory, &kept)?;
    if let Some(large) = large {
        (way.free)(&probe.crt, large)?;
    }
    counts.finish(probe, live)
}
