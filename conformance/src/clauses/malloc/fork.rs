//! `fork` on Unix: the child has a copy of the heap and can go on using it.

use super::super::workload::{mixed_size, scattered};
use super::MALLOC;
use crate::clause::Section::Description;
use crate::clause::check::by;
use crate::clause::{Case, Clause, Judgement, Seen, Verdict, limited, should};
use crate::clauses::{limits, pages};
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::crt::Crt;
use heapmin_harness::probe::{Child, Probe, Stop, in_a_fork};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

pub(crate) static CLAUSES: &[Clause] = &[should(
    MALLOC,
    "malloc.after-fork",
    "after a process forks while other threads allocate, the child finds its blocks unchanged and can allocate and free",
    limited(Description, &limits::CHILD_ENDS).on(&pages::FORK),
    &[&FORKED],
    &[by(
        "each of 20 children finds its blocks unchanged, allocates, frees, and ends in time",
        all_children_sound,
    )],
)];

static FORKED: Case = Case::new(
    "malloc-after-fork",
    "forks 20 times while two threads allocate and free; each child checks 500 blocks, frees them and allocates others",
    forked,
)
.forks();

const CHILDREN: i64 = 20;
/// Time that a child has, in seconds.
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
                match ended.map_err(no_child)? {
                    Child::Exited(SOUND) => sound += 1,
                    Child::Exited(LOST) => lost += 1,
                    Child::Exited(_) => refused += 1,
                    Child::Killed(_) => killed += 1,
                    // Later children would hang too, and take 5 s each.
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

/// Why there is no child: the system has no fork, or it refused one.
fn no_child(why: String) -> Stop {
    match cfg!(unix) {
        true => Stop::NotJudged(format!("fork failed: {why}")),
        false => Stop::NotApplicable(why),
    }
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

/// Runs in the child, which has one thread. A thread that the child does not
/// have may hold the lock of the probe's own allocator, so that the probe
/// itself allocates nothing here.
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

fn all_children_sound(seen: &Seen) -> Judgement {
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
