//! A number that each thread has, at first 0: a variable of the standard library.

use core::cell::Cell;

crate::schedule::thread_local! {
    static NUMBER: Cell<usize> = const { Cell::new(0) };
}

#[inline(always)]
pub(crate) fn number() -> usize {
    NUMBER.with(Cell::get)
}

pub(crate) fn set_number(number: usize) {
    NUMBER.with(|of_thread| of_thread.set(number));
}
