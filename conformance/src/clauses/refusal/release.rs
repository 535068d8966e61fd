//! The routines while the system refuses to take memory back, and after that.

use super::{
    A_BLOCK_OR_ENOMEM, Counts, KEEPS_ERRNO, KEEPS_THE_HEAP, REQUESTS, SETS_TO_0, TWO_RESULTS, Way,
    filled, table,
};
use crate::clause::Section::{Introduction, Remarks, ReturnValue};
use crate::clause::{Case, Clause, Routine, derived, must, should};
use crate::clauses::handed_out::is_bad;
use crate::clauses::pages;
use crate::clauses::workload::{mixed_size, scattered};
use heapmin_harness::probe::fault::{Plan, Refusal};
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
                "frees most of 2 MiB of blocks and three large ones and calls _heapmin while the system refuses to take memory back, calls ",
                $routine,
                " meanwhile and afterwards, and reads all bytes",
            ),
            |probe| refused(probe, &super::$name),
        )
        .fault("no-memory");
        pub(crate) static $name: &[Clause] = &[
            must(
                $static,
                $id,
                concat!($routine, " returns a block, or NULL with errno ENOMEM, while the system refuses to take memory back; no live block changes, and the heap stays sound"),
                derived(ReturnValue, TWO_RESULTS),
                &[&$case],
                A_BLOCK_OR_ENOMEM,
            ),
            $($more,)*
        ];
    )*};
}

routines! {
    MALLOC ROUTINE_MALLOC CASE_MALLOC "malloc" "malloc.refused-release" "malloc-refused-release" [];
    CALLOC ROUTINE_CALLOC CASE_CALLOC "calloc" "calloc.refused-release" "calloc-refused-release" [
        must(
            ROUTINE_CALLOC,
            "calloc.zero-after-refused-release",
            "calloc initialises each element to 0 also in memory that the system refused to take back",
            derived(Remarks, "the page states 0, whatever the memory held before"),
            &[&CASE_CALLOC],
            SETS_TO_0,
        ),
    ];
    REALLOC ROUTINE_REALLOC CASE_REALLOC "realloc" "realloc.refused-release" "realloc-refused-release" [];
    RECALLOC ROUTINE_RECALLOC CASE_RECALLOC "_recalloc" "recalloc.refused-release" "recalloc-refused-release" [
        must(
            ROUTINE_RECALLOC,
            "recalloc.zero-after-refused-release",
            "_recalloc sets the bytes that it adds to 0 also in memory that the system refused to take back",
            derived(Introduction, "the page states 0, whatever the memory held before"),
            &[&CASE_RECALLOC],
            SETS_TO_0,
        ),
    ];
    ALIGNED_MALLOC ROUTINE_ALIGNED_MALLOC CASE_ALIGNED_MALLOC "_aligned_malloc" "aligned-malloc.refused-release" "aligned-malloc-refused-release" [];
    ALIGNED_OFFSET_MALLOC ROUTINE_ALIGNED_OFFSET_MALLOC CASE_ALIGNED_OFFSET_MALLOC "_aligned_offset_malloc" "aligned-offset-malloc.refused-release" "aligned-offset-malloc-refused-release" [];
    ALIGNED_REALLOC ROUTINE_ALIGNED_REALLOC CASE_ALIGNED_REALLOC "_aligned_realloc" "aligned-realloc.refused-release" "aligned-realloc-refused-release" [];
    ALIGNED_OFFSET_REALLOC ROUTINE_ALIGNED_OFFSET_REALLOC CASE_ALIGNED_OFFSET_REALLOC "_aligned_offset_realloc" "aligned-offset-realloc.refused-release" "aligned-offset-realloc-refused-release" [];
    ALIGNED_RECALLOC ROUTINE_ALIGNED_RECALLOC CASE_ALIGNED_RECALLOC "_aligned_recalloc" "aligned-recalloc.refused-release" "aligned-recalloc-refused-release" [
        must(
            ROUTINE_ALIGNED_RECALLOC,
            "aligned-recalloc.zero-after-refused-release",
            "_aligned_recalloc sets the bytes that it adds to 0 also in memory that the system refused to take back",
            derived(Introduction, "the page states 0, whatever the memory held before"),
            &[&CASE_ALIGNED_RECALLOC],
            SETS_TO_0,
        ),
    ];
    ALIGNED_OFFSET_RECALLOC ROUTINE_ALIGNED_OFFSET_RECALLOC CASE_ALIGNED_OFFSET_RECALLOC "_aligned_offset_recalloc" "aligned-offset-recalloc.refused-release" "aligned-offset-recalloc-refused-release" [
        must(
            ROUTINE_ALIGNED_OFFSET_RECALLOC,
            "aligned-offset-recalloc.zero-after-refused-release",
            "_aligned_offset_recalloc sets the bytes that it adds to 0 also in memory that the system refused to take back",
            derived(Introduction, "the page states 0, whatever the memory held before"),
            &[&CASE_ALIGNED_OFFSET_RECALLOC],
            SETS_TO_0,
        ),
    ];
}

const FREE_ROUTINE: Routine = Routine {
    name: "free",
    page: &pages::FREE,
};
const ALIGNED_FREE_ROUTINE: Routine = Routine {
    name: "_aligned_free",
    page: &pages::ALIGNED_FREE,
};

pub(crate) static FREE: &[Clause] = &[
    must(
        FREE_ROUTINE,
        "free.refused-release",
        "free keeps the heap sound and all live blocks unchanged while the system refuses to take memory back",
        derived(Remarks, FREES_ONE_BLOCK),
        &[&CASE_MALLOC],
        KEEPS_THE_HEAP,
    ),
    should(
        FREE_ROUTINE,
        "free.refused-release-keeps-errno",
        "free leaves errno as it was while the system refuses to take memory back",
        derived(Remarks, FREED_ALL_THE_SAME),
        &[&CASE_MALLOC],
        KEEPS_ERRNO,
    ),
];

pub(crate) static ALIGNED_FREE: &[Clause] = &[
    must(
        ALIGNED_FREE_ROUTINE,
        "aligned-free.refused-release",
        "_aligned_free keeps the heap sound and all live blocks unchanged while the system refuses to take memory back",
        derived(Introduction, FREES_ONE_BLOCK),
        &[&CASE_ALIGNED_MALLOC],
        KEEPS_THE_HEAP,
    ),
    should(
        ALIGNED_FREE_ROUTINE,
        "aligned-free.refused-release-keeps-errno",
        "_aligned_free leaves errno as it was while the system refuses to take memory back",
        derived(Remarks, FREED_ALL_THE_SAME).on(&pages::FREE),
        &[&CASE_ALIGNED_MALLOC],
        KEEPS_ERRNO,
    ),
];

const FREES_ONE_BLOCK: &str =
    "the page says that the block is freed, and names no effect on another one";
const FREED_ALL_THE_SAME: &str = "free sets errno if an error occurs in freeing; a block whose memory the heap keeps is freed all the same";

/// Sizes of blocks that a heap may map one by one.
const LARGE: [usize; 3] = [300_000, 1_100_000, 4_194_304];
const PLAN: Plan = Plan::Refuse(Refusal::NoMemory);

fn refused(probe: &mut Probe, way: &Way) -> Result<(), Stop> {
    let mut counts = Counts::default();
    let mut live = table()?;
    probe.prepare_fault()?;
    probe.step("allocate and fill the blocks")?;
    live.fill(&probe.crt, mixed_size)?;
    counts.was_bad = is_bad(&probe.crt);
    let large = LARGE.map(|size| filled(way, &probe.crt, size, 1));
    probe.step("free most of them, and _heapmin, refused")?;
    let (_, met) = probe.under(PLAN, |crt| {
        live.free_where(crt, |index| scattered(index) % 8 != 0)?;
        for block in large {
            counts.free(way, crt, block?, 1)?;
        }
        crt.heapmin()
    })?;
    counts.refusals += i64::from(met.refused);
    for plan in [PLAN, Plan::Off] {
        probe.step(&format!("{}, {}", way.routine, meanwhile(plan)))?;
        let blocks = counts.call(probe, way, plan, &REQUESTS)?;
        counts.free_all(probe, way, plan, &blocks)?;
    }
    counts.finish(probe, live)
}

fn meanwhile(plan: Plan) -> &'static str {
    match plan {
        Plan::Off => "no longer refused",
        _ => "refused",
    }
}
