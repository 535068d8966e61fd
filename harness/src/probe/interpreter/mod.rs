//! Runs a script, a sequence of calls as data. After each phase it reports the results and
//! judges nothing.

mod blocks;
mod bytes;
mod churn;
mod threads;

use super::{Probe, Stop};
use crate::wire::observation::Event;
use crate::wire::step::{Step, phases};
use blocks::Blocks;
use std::thread;
use threads::Threads;

/// Runs a script to its end, or to the first routine that the library does not have.
pub(super) fn run(probe: &mut Probe, script: &[Step]) -> Result<(), Stop> {
    let Probe { crt, pipe, .. } = probe;
    let crt = &*crt;
    let mut blocks = Blocks::default();
    let mut index = 0;
    thread::scope(|scope| {
        let mut threads = Threads::new(scope, crt);
        for phase in phases(script) {
            let answers = match phase[0].thread {
                None => vec![blocks.perform(crt, index, phase[0].operation)?],
                Some(_) => threads.perform(&mut blocks, index, phase)?,
            };
            for answer in answers {
                pipe.send(&Event::Answer(answer))?;
            }
            index += phase.len() as u64;
        }
        threads.end()
    })
}
