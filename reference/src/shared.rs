//! Numbers that any thread may read and only the holder of a lock may change.
//!
//! The records of the heap consist of them. Each file says which lock guards
//! which number. A read without the lock may give an old value, but is never
//! undefined behaviour. On the processor it is an ordinary load.

use crate::schedule::step;
use core::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

macro_rules! shared {
    ($($name:ident: $atomic:ty, $number:ty;)*) => {$(
        /// A number that only the holder of a lock changes.
        #[derive(Debug, Default)]
        #[repr(transparent)]
        pub(crate) struct $name($atomic);

        impl $name {
            /// Creates it.
            #[allow(dead_code)] // not for all sizes
            pub(crate) const fn new(value: $number) -> $name {
                $name(<$atomic>::new(value))
            }

            /// The number.
            #[inline]
            pub(crate) fn get(&self) -> $number {
                self.0.load(Ordering::Relaxed)
            }

            /// Changes it.
            #[inline]
            pub(crate) fn set(&self, value: $number) {
                self.0.store(value, Ordering::Relaxed);
                step();
            }
        }
    )*};
}

shared! {
    Shared8: AtomicU8, u8;
    Shared16: AtomicU16, u16;
    Shared32: AtomicU32, u32;
    Shared64: AtomicU64, u64;
}
