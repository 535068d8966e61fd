//! `fork` on Unix: the child has the heap as it was, and can go on with it.

use super::super::workload::{mixed_size, scattered};
use crate::clause::Section::Remarks;
use crate::clause::check::by;
use crate::clause::{Case, Clause, Judgement, Routine, Seen, Verdict, should, stated};
use crate::clauses::pages;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::crt::Crt;
use heapmin_harness::probe::{Child, Probe, Stop, in_a_fork};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

const MALLOC: Routine = Routine {
    name: "malloc",
    page: &pages::MALLOC,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: —
    should(
        MALLOC,
        "malloc.after-fork",
        "where a process can fork while other threads allocate, the child can use the heap and finds its blocks as they were",
        stated(Remarks),
        &[&FORKED],
        &[by(
            "each of 20 children checks its blocks, allocates, frees, and ends in time",
            judge,
        )],
    ),
];

static FORKED: Case = Case::new(
    "malloc-after-fork",
    "forks 20 times while two threads allocate and free; each child checks 500 blocks, frees them and allocates others",
    forked,
)
.forks();

const CHILDREN: i64 = 20;
/// Plenty for a child that does not hang.
const SECONDS: u32 = 5;
const SOUND: i32 = 0;
const LOST: i32 = 1;
const REFUSED: i32 = 2;

fn forked(probe: &mut Probe) -> Result<(), Stop> {
    let mut blocks = Blocks::with_room_for(500)?;
    blocks.fill(&probe.crt, mixed_size)?;
    probe.step("fork while two threads use the heap")?;
    let crt = &probe.crt;
    let stop = AtomicBool::new(false);
    let (mut sound, mut lost, mut refused, mut hung, mut killed) = (0, 0, 0, 0, 0);
    let forks = thread::scope(|scope| {
        for worker in 0..2 {
            let stop = &stop;
            scope.spawn(move || busy(crt, worker, stop));
        }
        let mut run = || {
            for _ in 0..CHILDREN {
                let ended = in_a_fork(SECONDS, || in_the_child(crt, &mut blocks));
                match ended.map_err(Stop::NotApplicable)? {
                    Child::Exited(SOUND) => sound += 1,
                    Child::Exited(LOST) => lost += 1,
                    Child::Exited(_) => refused += 1,
                    Child::Killed(_) => killed += 1,
                    // The others would hang as well, and each takes its time.
                    Child::Hung => {
                        hung += 1;
                        break;
                    }
                }
            }
            Ok(())
        };
        let forks = run();
        stop.store(true, Ordering::Relaxed);
        forks
    });
    forks?;
    probe.fact("children that were sound", sound)?;
    probe.fact("children that found bytes lost", lost)?;
    probe.fact("children that got no memory", refused)?;
    probe.fact("children that died", killed)?;
    probe.fact("children that hung", hung)
}

fn busy(crt: &Crt, worker: usize, stop: &AtomicBool) {
    let mut round = worker;
    while !stop.load(Ordering::Relaxed) {
        round += 2;
        if let Ok(block) = crt.need(16 + scattered(round) % 3000) {
            let _ = crt.free(block);
        }
    }
}

/// Runs with one thread left; the probe's own allocator may be locked by one
/// that is not there, so nothing of ours allocates here.
fn in_the_child(crt: &Crt, blocks: &mut Blocks) -> i32 {
    if blocks.lost_bytes() > 0 {
        return LOST;
    }
    let renew = |blocks: &mut Blocks| -> Result<(), Stop> {
        blocks.free_all(crt)?;
        blocks.fill(crt, mixed_size)
    };
    match renew(blocks) {
        Ok(()) if blocks.lost_bytes() == 0 => SOUND,
        Ok(()) => LOST,
        Err(_) => REFUSED,
    }
}

fn judge(seen: &Seen) -> Judgement {
    let fact = |name| seen.observation.fact(name);
    let Some(sound) = fact("children that were sound") else {
        return Verdict::Error.because("the case did not count the children");
    };
    let mut observed = format!("{sound} of {CHILDREN} children were sound");
    for other in [
        "children that found bytes lost",
        "children that got no memory",
        "children that died",
        "children that hung",
    ] {
        if let Some(count @ 1..) = fact(other) {
            let what = other.trim_start_matches("children that ");
            observed += &format!(", {count} {what}");
        }
    }
    Judgement::pass_if(sound == CHILDREN, observed)
}
