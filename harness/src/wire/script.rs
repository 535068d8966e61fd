//! The operations of a script: a sequence of calls that a probe makes without a case. As
//! text a script has one call in each line, written as in C.

use std::fmt;
use std::str::FromStr;

/// One of the variables for blocks that a script has, `a` to `p`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot(u8);

impl Slot {
    /// The number of slots.
    pub const COUNT: usize = 16;

    /// The slot with this number, modulo [`Slot::COUNT`].
    pub fn new(number: usize) -> Slot {
        Slot((number % Slot::COUNT) as u8)
    }

    /// The slot's number, from 0.
    pub fn index(self) -> usize {
        self.0.into()
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", char::from(b'a' + self.0))
    }
}

/// The routines that `churn` calls. It needs the first two, and calls the others if the
/// library has them.
pub const CHURN: [&str; 6] = [
    "malloc",
    "free",
    "calloc",
    "realloc",
    "_aligned_malloc",
    "_aligned_free",
];

macro_rules! operations {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $gives:tt ($($argument:ident: $kind:ident),*);)*) => {
        /// A call, or a line that is no call of one routine.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum Operation {
            $($(#[$doc])* $variant { $($argument: $kind),* },)*
        }

        impl Operation {
            /// The name of the routine that is called, or of the line that is no call.
            pub fn routine(self) -> &'static str {
                match self {
                    $(Operation::$variant { .. } => $name,)*
                }
            }
        }

        impl fmt::Display for Operation {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match *self {
                    $(Operation::$variant { $($argument),* } => {
                        let arguments: Vec<String> = vec![$($argument.to_string()),*];
                        operations!(@show $gives, f, $name, arguments)
                    })*
                }
            }
        }

        impl FromStr for Operation {
            type Err = String;

            fn from_str(line: &str) -> Result<Operation, String> {
                let parts = Parts::of(line)?;
                match (parts.name, parts.gives.is_some()) {
                    $(($name, operations!(@assigns $gives)) => {
                        let mut arguments = parts.arguments();
                        let operation = Operation::$variant {
                            $($argument: arguments.next(stringify!($argument))?,)*
                        };
                        arguments.end()?;
                        Ok(operation)
                    })*
                    (name, _) => Err(format!("no operation {name} has this form")),
                }
            }
        }
    };
    (@assigns gives) => { true };
    (@assigns is) => { false };
    (@show gives, $f:ident, $name:literal, $arguments:ident) => {{
        let (slot, rest) = $arguments.split_first().expect("the first argument is the slot");
        write!($f, "{slot} = {}({})", $name, rest.join(", "))
    }};
    (@show is, $f:ident, $name:literal, $arguments:ident) => {
        write!($f, "{}({})", $name, $arguments.join(", "))
    };
}

operations! {
    Malloc = "malloc", gives (slot: Slot, size: usize);
    Calloc = "calloc", gives (slot: Slot, number: usize, size: usize);
    Realloc = "realloc", gives (slot: Slot, block: Slot, size: usize);
    Recalloc = "_recalloc", gives (slot: Slot, block: Slot, number: usize, size: usize);
    Free = "free", is (slot: Slot);
    Msize = "_msize", is (slot: Slot);
    Expand = "_expand", is (slot: Slot, size: usize);
    AlignedMalloc = "_aligned_malloc", gives (slot: Slot, size: usize, alignment: usize);
    AlignedOffsetMalloc = "_aligned_offset_malloc", gives (slot: Slot, size: usize, alignment: usize, offset: usize);
    AlignedRealloc = "_aligned_realloc", gives (slot: Slot, block: Slot, size: usize, alignment: usize);
    AlignedOffsetRealloc = "_aligned_offset_realloc", gives (slot: Slot, block: Slot, size: usize, alignment: usize, offset: usize);
    AlignedRecalloc = "_aligned_recalloc", gives (slot: Slot, block: Slot, number: usize, size: usize, alignment: usize);
    AlignedOffsetRecalloc = "_aligned_offset_recalloc", gives (slot: Slot, block: Slot, number: usize, size: usize, alignment: usize, offset: usize);
    AlignedMsize = "_aligned_msize", is (slot: Slot, alignment: usize, offset: usize);
    AlignedFree = "_aligned_free", is (slot: Slot);
    Heapmin = "_heapmin", is ();
    Heapchk = "_heapchk", is ();
    Heapwalk = "_heapwalk", is ();
    Heapset = "_heapset", is (fill: usize);
    /// No call: checks the bytes in every block.
    Check = "check", is ();
    /// Many calls: allocates, resizes and frees blocks of about this size, `count` times,
    /// and checks their bytes. No slot has these blocks.
    Churn = "churn", is (count: usize, size: usize);
    /// No call: the thread ends. A later line of this thread starts a new one.
    End = "end", is ();
}

impl Operation {
    /// The slot of the block that is allocated, resized, measured or freed.
    pub fn slot(self) -> Option<Slot> {
        match self {
            Operation::Malloc { slot, .. }
            | Operation::Calloc { slot, .. }
            | Operation::Realloc { slot, .. }
            | Operation::Recalloc { slot, .. }
            | Operation::Free { slot }
            | Operation::Msize { slot }
            | Operation::Expand { slot, .. }
            | Operation::AlignedMalloc { slot, .. }
            | Operation::AlignedOffsetMalloc { slot, .. }
            | Operation::AlignedRealloc { slot, .. }
            | Operation::AlignedOffsetRealloc { slot, .. }
            | Operation::AlignedRecalloc { slot, .. }
            | Operation::AlignedOffsetRecalloc { slot, .. }
            | Operation::AlignedMsize { slot, .. }
            | Operation::AlignedFree { slot } => Some(slot),
            Operation::Heapmin {}
            | Operation::Heapchk {}
            | Operation::Heapwalk {}
            | Operation::Heapset { .. }
            | Operation::Check {}
            | Operation::Churn { .. }
            | Operation::End {} => None,
        }
    }

    /// Whether a call that resizes a block puts the block back into its slot. Scripts use
    /// no other form.
    pub fn keeps_its_slot(self) -> bool {
        match self {
            Operation::Realloc { slot, block, .. }
            | Operation::Recalloc { slot, block, .. }
            | Operation::AlignedRealloc { slot, block, .. }
            | Operation::AlignedOffsetRealloc { slot, block, .. }
            | Operation::AlignedRecalloc { slot, block, .. }
            | Operation::AlignedOffsetRecalloc { slot, block, .. } => slot == block,
            _ => true,
        }
    }
}

/// The parts of a line.
struct Parts<'a> {
    gives: Option<&'a str>,
    name: &'a str,
    inside: &'a str,
}

impl<'a> Parts<'a> {
    fn of(line: &'a str) -> Result<Parts<'a>, String> {
        let line = line.trim();
        let shape = || format!("{line:?} is not of the form a = malloc(24)");
        let (call, rest) = line.split_once('(').ok_or_else(shape)?;
        let inside = rest.strip_suffix(')').ok_or_else(shape)?;
        let (gives, name) = match call.split_once('=') {
            Some((slot, name)) => (Some(slot.trim()), name.trim()),
            None => (None, call.trim()),
        };
        Ok(Parts {
            gives,
            name,
            inside,
        })
    }

    fn arguments(&self) -> Arguments<'a> {
        let inside: Vec<&str> = match self.inside.trim() {
            "" => Vec::new(),
            inside => inside.split(',').map(str::trim).collect(),
        };
        let all: Vec<&str> = self.gives.into_iter().chain(inside).collect();
        Arguments(all.into_iter())
    }
}

struct Arguments<'a>(std::vec::IntoIter<&'a str>);

impl Arguments<'_> {
    fn next<T: Argument>(&mut self, name: &str) -> Result<T, String> {
        let text = self.0.next().ok_or_else(|| format!("{name} is missing"))?;
        T::read(text).ok_or_else(|| format!("{text:?} is not a {name}"))
    }

    fn end(&mut self) -> Result<(), String> {
        match self.0.next() {
            None => Ok(()),
            Some(text) => Err(format!("{text:?} is one argument too many")),
        }
    }
}

trait Argument: Sized {
    fn read(text: &str) -> Option<Self>;
}

impl Argument for usize {
    fn read(text: &str) -> Option<usize> {
        text.parse().ok()
    }
}

impl Argument for Slot {
    fn read(text: &str) -> Option<Slot> {
        match text.as_bytes() {
            [letter @ b'a'..=b'p'] => Some(Slot(letter - b'a')),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("a = malloc(24)")]
    #[case("p = realloc(p, 0)")]
    #[case("c = _aligned_offset_realloc(c, 100, 64, 8)")]
    #[case("_expand(b, 7)")]
    #[case("c = _aligned_offset_recalloc(c, 3, 100, 64, 8)")]
    #[case("churn(500, 24)")]
    #[case("_heapmin()")]
    fn a_parsed_line_is_written_as_before(#[case] line: &str) {
        assert_eq!(line.parse::<Operation>().unwrap().to_string(), line);
    }

    #[rstest]
    #[case("malloc(24)")]
    #[case("a = malloc(24")]
    #[case("a = malloc()")]
    #[case("a = malloc(24, 25)")]
    #[case("q = malloc(24)")]
    #[case("a = malloc(-1)")]
    #[case("a = free(a)")]
    #[case("system(a)")]
    #[case("")]
    fn a_line_that_is_no_operation_is_refused(#[case] line: &str) {
        assert!(line.parse::<Operation>().is_err());
    }
}
