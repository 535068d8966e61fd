//! A fixed piece of work, whose time tells how fast a machine is. It does what cases do:
//! it uses fresh memory, writes it and reads it.

use std::hint::black_box;

/// Size of the memory, in bytes.
const SIZE: usize = 16 << 20;

pub(super) fn work() {
    let mut memory = vec![0u8; SIZE];
    for round in 0..2u8 {
        for (index, byte) in memory.iter_mut().enumerate() {
            *byte = byte.wrapping_add(index as u8 ^ round);
        }
        black_box(&mut memory);
    }
}
