//! A fixed piece of work, whose time tells how fast a machine is. It does what cases do:
//! it uses fresh memory, writes it and reads it. It is also the control of the figures of
//! memory: the parent must see the memory come and go.

use super::pipe::Pipe;
use super::{Stop, host};
use crate::wire::calibration::{BEFORE, RELEASED, SIZE, THREADED, THREADS, WRITTEN};
use crate::wire::observation::Event;
use std::hint::black_box;

pub(super) fn work(mut pipe: Pipe) -> Result<(), Stop> {
    let mut moment = |name: &str| {
        pipe.send(&Event::Moment {
            name: name.to_owned(),
            inside: host::own_memory(),
            outside: None,
        })?;
        pipe.receive().map(drop)
    };
    moment(BEFORE)?;
    // The allocators of all systems map so much separately, and unmap it.
    let mut memory = vec![0u8; SIZE];
    for round in 0..2u8 {
        for (index, byte) in memory.iter_mut().enumerate() {
            *byte = byte.wrapping_add(index as u8 ^ round);
        }
        black_box(&mut memory);
    }
    moment(WRITTEN)?;
    drop(memory);
    moment(RELEASED)?;
    for _ in 0..THREADS {
        let thread = std::thread::Builder::new().spawn(|| ());
        let joined = thread.map(|thread| thread.join());
        if !matches!(joined, Ok(Ok(()))) {
            break;
        }
    }
    moment(THREADED)
}
