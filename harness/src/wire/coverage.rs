//! What a run of the cases covers: for each routine of the heap, the pairs of values that
//! its calls had. A value is of one dimension, such as the size or the thread.

use serde::{Deserialize, Serialize};

macro_rules! dimensions {
    ($($(#[$doc:meta])* $dimension:ident = $title:literal { $($value:ident = $name:literal,)* })*) => {
        /// A property in which calls of a routine differ.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Dimension {
            $($(#[$doc])* $dimension,)*
        }

        impl Dimension {
            /// Every dimension, in the order of the table.
            pub const ALL: &[Dimension] = &[$(Dimension::$dimension),*];

            /// Its name in a table.
            pub const fn title(self) -> &'static str {
                match self {
                    $(Dimension::$dimension => $title,)*
                }
            }
        }

        /// A class of values in one dimension.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[allow(missing_docs)]
        pub enum Value {
            $($($value,)*)*
        }

        impl Value {
            /// Every value, dimension by dimension.
            pub const ALL: &[Value] = &[$($(Value::$value,)*)*];

            /// Its dimension.
            pub const fn dimension(self) -> Dimension {
                match self {
                    $($(Value::$value => Dimension::$dimension,)*)*
                }
            }

            /// Its name in a table.
            pub const fn name(self) -> &'static str {
                match self {
                    $($(Value::$value => $name,)*)*
                }
            }
        }
    };
}

dimensions! {
    /// The requested size; of a routine that only takes a block, the block's size. Of a
    /// routine of the whole heap, the size of a block in the heap.
    Size = "size" {
        Zero = "0",
        Small = "up to 1 KiB",
        Medium = "up to 128 KiB",
        Large = "up to 1 MiB",
        Huge = "over 1 MiB",
        Impossible = "more than any system has",
    }
    /// The size of the block that a routine resizes.
    OldSize = "old size" {
        OldZero = "from 0",
        OldSmall = "from up to 1 KiB",
        OldMedium = "from up to 128 KiB",
        OldLarge = "from up to 1 MiB",
        OldHuge = "from over 1 MiB",
    }
    /// The size beside the block's alignment.
    Fit = "size beside the alignment" {
        Below = "smaller",
        Equal = "equal",
        Multiple = "a multiple",
        Neighbour = "a multiple and one more or less",
        Between = "between multiples",
    }
    /// The alignment that a routine of the aligned family was given.
    Alignment = "alignment" {
        Aligned16 = "up to 16",
        Aligned4K = "up to 4 KiB",
        Aligned1M = "up to 1 MiB",
        Aligned64M = "over 1 MiB",
    }
    /// The offset that a routine of the aligned family was given.
    Offset = "offset" {
        AtStart = "offset 0",
        Inside = "another offset",
    }
    /// What happened before to the block, or to the memory of a new one.
    History = "history" {
        Fresh = "fresh",
        Used = "used before",
        ShrunkGrown = "shrunk then grown",
        GrownShrunk = "grown then shrunk",
        Released = "after a release",
        OtherThread = "another thread's pages",
    }
    /// The thread that calls.
    Thread = "thread" {
        First = "first thread",
        Another = "another thread",
        AfterEnded = "after threads ended",
    }
    /// What the system refuses during the call.
    Fault = "fault" {
        NoFault = "none",
        ReleaseRefused = "release refused",
        MemoryRefused = "memory refused",
        AddressLimit = "address space limited",
    }
}

/// The routines whose calls are recorded.
pub const ROUTINES: &[&str] = &[
    "malloc",
    "calloc",
    "realloc",
    "free",
    "_msize",
    "_expand",
    "_recalloc",
    "_aligned_malloc",
    "_aligned_offset_malloc",
    "_aligned_realloc",
    "_aligned_offset_realloc",
    "_aligned_recalloc",
    "_aligned_offset_recalloc",
    "_aligned_msize",
    "_aligned_free",
    "_heapmin",
    "_heapchk",
    "_heapwalk",
    "_heapset",
];

/// A set of values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Values(u64);

const _: () = assert!(Value::ALL.len() <= 64, "a set has 64 bits");

impl Values {
    /// The set of one value.
    pub const fn of(value: Value) -> Values {
        Values(1 << value as u64)
    }

    /// Whether the set has this value.
    pub const fn has(self, value: Value) -> bool {
        self.0 & Values::of(value).0 != 0
    }

    /// The values of both sets.
    #[must_use]
    pub const fn with(self, other: Values) -> Values {
        Values(self.0 | other.0)
    }

    /// The values of this set that the other does not have.
    #[must_use]
    pub const fn without(self, other: Values) -> Values {
        Values(self.0 & !other.0)
    }

    /// The values of this set in one dimension.
    #[must_use]
    pub fn in_dimension(self, dimension: Dimension) -> Values {
        let all = Value::ALL.iter().copied();
        let there = all.filter(|value| value.dimension() == dimension && self.has(*value));
        there.map(Values::of).fold(Values::default(), Values::with)
    }
}

impl<const N: usize> From<[Value; N]> for Values {
    fn from(values: [Value; N]) -> Values {
        let values = values.map(Values::of);
        values.into_iter().fold(Values::default(), Values::with)
    }
}

/// The pairs of values that calls of one routine had: for each value, those that were with
/// it in a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pairs(Vec<Values>);

impl Pairs {
    /// No pair, with memory for all.
    pub fn with_room() -> Pairs {
        Pairs(vec![Values::default(); Value::ALL.len()])
    }

    /// Whether there was no call.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|with| *with == Values::default())
    }

    /// Adds the pairs of a call that has all of these values.
    pub fn add(&mut self, call: Values) {
        self.0.resize(Value::ALL.len(), Values::default());
        for (value, with) in Value::ALL.iter().zip(&mut self.0) {
            if call.has(*value) {
                *with = with.with(call);
            }
        }
    }

    /// Adds all pairs of the other set.
    pub fn add_all(&mut self, other: &Pairs) {
        self.0.resize(Value::ALL.len(), Values::default());
        for (with, more) in self.0.iter_mut().zip(&other.0) {
            *with = with.with(*more);
        }
    }

    /// Whether some call had both values.
    pub fn has(&self, one: Value, other: Value) -> bool {
        let with = self.0.get(one as usize);
        with.is_some_and(|with| with.has(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_covers_each_pair_of_its_values_and_no_other() {
        let mut pairs = Pairs::default();
        assert!(!pairs.has(Value::Zero, Value::Zero));
        pairs.add([Value::Zero, Value::First, Value::NoFault].into());
        let mut more = Pairs::default();
        more.add([Value::Small, Value::First].into());
        pairs.add_all(&more);
        assert!(pairs.has(Value::Zero, Value::First) && pairs.has(Value::First, Value::Zero));
        assert!(pairs.has(Value::Small, Value::First));
        assert!(!pairs.has(Value::Small, Value::NoFault));
        assert!(!pairs.has(Value::Small, Value::Zero));
    }

    #[test]
    fn a_set_is_divided_by_dimension() {
        let values = Values::from([Value::Zero, Value::Fresh, Value::Used]);
        let history = values.in_dimension(Dimension::History);
        assert_eq!(history, [Value::Fresh, Value::Used].into());
        assert_eq!(values.without(history), Values::of(Value::Zero));
    }
}
