//! What a call requests, and the values of that.

use crate::wire::coverage::{Value, Values};

/// What a call requests.
#[derive(Clone, Copy)]
pub(in crate::probe::crt) struct Request {
    /// The size in bytes; `None` for a product that overflows.
    pub(super) size: Option<usize>,
    /// The alignment and the offset that a routine of the aligned family was given.
    alignment: Option<(usize, usize)>,
}

impl Request {
    pub(in crate::probe::crt) fn of(size: usize) -> Request {
        Request {
            size: Some(size),
            alignment: None,
        }
    }

    pub(in crate::probe::crt) fn array(count: usize, size: usize) -> Request {
        Request {
            size: count.checked_mul(size),
            alignment: None,
        }
    }

    pub(in crate::probe::crt) fn aligned(self, alignment: usize, offset: usize) -> Request {
        Request {
            alignment: Some((alignment, offset)),
            ..self
        }
    }

    /// Whether the routine refuses the parameters before it looks at a block or at memory.
    pub(super) fn is_invalid(self) -> bool {
        self.alignment.is_some_and(|(alignment, offset)| {
            let is_outside = offset > 0 && self.size.is_some_and(|size| offset >= size);
            !alignment.is_power_of_two() || is_outside
        })
    }

    pub(super) fn is_aligned_zero(self) -> bool {
        self.alignment.is_some() && self.size == Some(0)
    }

    pub(super) fn values(self) -> Values {
        let mut values = Values::of(size_class(self.size));
        let possible = self.size.filter(|size| *size <= MOST);
        let alignment = self.alignment.map_or(DEFAULT, |(alignment, _)| alignment);
        if let Some(size) = possible {
            values = values.with(Values::of(fit(size, alignment)));
        }
        let Some((alignment, offset)) = self.alignment else {
            return values;
        };
        values.with(Values::from([
            match alignment {
                0..=16 => Value::Aligned16,
                17..=0x1000 => Value::Aligned4K,
                0x1001..=0x10_0000 => Value::Aligned1M,
                _ => Value::Aligned64M,
            },
            match offset {
                0 => Value::AtStart,
                _ => Value::Inside,
            },
        ]))
    }
}

/// The alignment of blocks of `malloc`.
const DEFAULT: usize = 2 * size_of::<usize>();
/// A size that no system has is larger.
const MOST: usize = usize::MAX >> 8;

fn size_class(size: Option<usize>) -> Value {
    match size {
        Some(0) => Value::Zero,
        Some(..=0x400) => Value::Small,
        Some(..=0x2_0000) => Value::Medium,
        Some(..=0x10_0000) => Value::Large,
        Some(..=MOST) => Value::Huge,
        _ => Value::Impossible,
    }
}

pub(super) fn old_size_class(size: usize) -> Value {
    match size_class(Some(size)) {
        Value::Zero => Value::OldZero,
        Value::Small => Value::OldSmall,
        Value::Medium => Value::OldMedium,
        Value::Large => Value::OldLarge,
        _ => Value::OldHuge,
    }
}

fn fit(size: usize, alignment: usize) -> Value {
    let rest = size % alignment;
    match size {
        0 => Value::Below,
        _ if size == alignment => Value::Equal,
        _ if size + 1 == alignment => Value::Neighbour,
        _ if size < alignment => Value::Below,
        _ if rest == 0 => Value::Multiple,
        _ if rest == 1 || rest + 1 == alignment => Value::Neighbour,
        _ => Value::Between,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_compared_with_the_alignment() {
        assert_eq!(fit(0, 1), Value::Below);
        assert_eq!(fit(14, 16), Value::Below);
        assert_eq!(fit(15, 16), Value::Neighbour);
        assert_eq!(fit(16, 16), Value::Equal);
        assert_eq!(fit(17, 16), Value::Neighbour);
        assert_eq!(fit(24, 16), Value::Between);
        assert_eq!(fit(64, 16), Value::Multiple);
        assert_eq!(fit(65, 16), Value::Neighbour);
    }
}
