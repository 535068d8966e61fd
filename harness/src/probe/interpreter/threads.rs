//! The threads of a script. A thread lives from the first line that names it to its `end()`,
//! or to the end of the script, and performs its lines of each phase.

use super::blocks::Blocks;
use crate::probe::Stop;
use crate::probe::crt::Crt;
use crate::wire::observation::Answer;
use crate::wire::script::Operation;
use crate::wire::step::{MOST_THREADS, Owners, Step};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Scope, ScopedJoinHandle, yield_now};

/// What a thread performs in a phase.
struct Order {
    /// The index of each step, and its operation; `None` if another thread has its slot.
    steps: Vec<(u64, Option<Operation>)>,
    /// The blocks in the slots that the thread owns in this phase.
    blocks: Blocks,
    start: Arc<Start>,
}

/// What a thread performed, and the blocks that it has now.
type Done = (Result<Vec<Answer>, Stop>, Blocks);

struct Thread<'scope> {
    orders: Sender<Order>,
    done: Receiver<Done>,
    handle: ScopedJoinHandle<'scope, ()>,
}

/// The place where the threads of a phase wait for each other, so that they run at the same
/// time.
struct Start {
    missing: AtomicUsize,
}

impl Start {
    fn wait(&self) {
        self.missing.fetch_sub(1, Ordering::AcqRel);
        while self.missing.load(Ordering::Acquire) > 0 {
            yield_now();
        }
    }
}

/// The running threads of a script, by number.
pub(super) struct Threads<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    crt: &'env Crt,
    running: [Option<Thread<'scope>>; MOST_THREADS as usize],
}

impl<'scope, 'env> Threads<'scope, 'env> {
    pub(super) fn new(scope: &'scope Scope<'scope, 'env>, crt: &'env Crt) -> Self {
        Threads {
            scope,
            crt,
            running: Default::default(),
        }
    }

    /// Performs the steps of a phase, whose first step has this index; returns the answers
    /// in the order of the steps.
    pub(super) fn perform(
        &mut self,
        blocks: &mut Blocks,
        first: u64,
        phase: &[Step],
    ) -> Result<Vec<Answer>, Stop> {
        let owners = Owners::of(phase);
        let named = |number| {
            let of_this = move |step: &&Step| step.thread == Some(number);
            phase.iter().filter(of_this).count() > 0
        };
        let numbers: Vec<u8> = (1..=MOST_THREADS).filter(|number| named(*number)).collect();
        // All of them start before any waits for the others.
        for &number in &numbers {
            self.thread(number)?;
        }
        let start = Arc::new(Start {
            missing: AtomicUsize::new(numbers.len()),
        });
        let orders: Vec<Order> = numbers
            .iter()
            .map(|&number| {
                let steps = (first..).zip(phase);
                let steps = steps.filter(|(_, step)| step.thread == Some(number));
                let steps = steps.map(|(index, Step { operation, .. })| {
                    let owner = operation.slot().and_then(|slot| owners.owner(slot));
                    let is_its = owner.is_none_or(|owner| owner == number);
                    (index, is_its.then_some(*operation))
                });
                Order {
                    steps: steps.collect(),
                    blocks: blocks.split_off(|slot| owners.owner(slot) == Some(number)),
                    start: start.clone(),
                }
            })
            .collect();
        // All slots are distributed: each thread can see which blocks stay idle.
        for (&number, mut order) in numbers.iter().zip(orders) {
            order.blocks.see(blocks);
            let thread = self.thread(number)?;
            thread.orders.send(order).map_err(|_| ended())?;
        }
        let mut answers = Vec::with_capacity(phase.len());
        for &number in &numbers {
            let (performed, its_blocks) = self.thread(number)?.done.recv().map_err(|_| ended())?;
            blocks.take_back(its_blocks);
            answers.extend(performed?);
        }
        answers.sort_unstable_by_key(|answer| answer.index);
        for index in blocks.overlapping_since(first) {
            answers[(index - first) as usize].overlaps = true;
        }
        for step in phase {
            if let (Some(number), Operation::End {}) = (step.thread, step.operation)
                && let Some(thread) = self.running[usize::from(number) - 1].take()
            {
                thread.end()?;
            }
        }
        Ok(answers)
    }

    /// Ends all threads.
    pub(super) fn end(self) -> Result<(), Stop> {
        let mut running = self.running.into_iter().flatten();
        running.try_for_each(Thread::end)
    }

    /// The thread with this number, started if it does not run.
    fn thread(&mut self, number: u8) -> Result<&Thread<'scope>, Stop> {
        let place = &mut self.running[usize::from(number) - 1];
        if place.is_none() {
            *place = Some(Thread::start(self.scope, self.crt)?);
        }
        Ok(place.as_ref().expect("started above"))
    }
}

impl<'scope> Thread<'scope> {
    fn start<'env>(scope: &'scope Scope<'scope, 'env>, crt: &'env Crt) -> Result<Self, Stop> {
        let (orders, inbox) = channel::<Order>();
        let (outbox, done) = channel::<Done>();
        let work = move || {
            for Order {
                steps,
                mut blocks,
                start,
            } in inbox
            {
                start.wait();
                let answers = steps.into_iter().map(|(index, operation)| match operation {
                    Some(operation) => blocks.perform(crt, index, operation),
                    None => Ok(Answer {
                        index,
                        ..Answer::default()
                    }),
                });
                let answers = answers.collect();
                if outbox.send((answers, blocks)).is_err() {
                    return;
                }
            }
        };
        let handle = std::thread::Builder::new().spawn_scoped(scope, work);
        let handle =
            handle.map_err(|error| Stop::Failed(format!("a thread does not start: {error}")))?;
        Ok(Thread {
            orders,
            done,
            handle,
        })
    }

    fn end(self) -> Result<(), Stop> {
        drop(self.orders);
        self.handle.join().map_err(|_| ended())
    }
}

fn ended() -> Stop {
    Stop::Failed("a thread of the probe panicked".into())
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;
    use crate::wire::job::Job;

    /// Performs a phase on the C library; returns for each step whether it was a call.
    fn perform(blocks: &mut Blocks, first: u64, phase: &str) -> Vec<bool> {
        let job = Job {
            load_name: "libc.so.6".into(),
            ..Job::default()
        };
        let crt = Crt::load(&job).ok().expect("the C library is there");
        let steps: Vec<Step> = phase.lines().map(|line| line.parse().unwrap()).collect();
        std::thread::scope(|scope| {
            let mut threads = Threads::new(scope, &crt);
            let answers = threads.perform(blocks, first, &steps).unwrap();
            threads.end().unwrap();
            let indices = answers.iter().map(|answer| answer.index);
            assert!(indices.eq(first..first + steps.len() as u64));
            assert!(answers.iter().all(|it| it.lost == 0 && !it.overlaps));
            answers.iter().map(|answer| answer.call.is_some()).collect()
        })
    }

    #[test]
    fn a_thread_uses_a_block_of_another_only_after_the_phase() {
        let mut blocks = Blocks::default();
        let first = "1: a = malloc(24)\n2: a = malloc(24)\n2: b = calloc(3, 5)\n1: free(b)";
        assert_eq!(perform(&mut blocks, 10, first), [true, false, true, false]);
        let second = "2: free(a)\n1: b = realloc(b, 100)\n1: churn(50, 40)";
        assert_eq!(perform(&mut blocks, 14, second), [true; 3]);
        assert_eq!(
            perform(&mut blocks, 17, "1: free(a)\n3: free(b)"),
            [false, true]
        );
    }
}
