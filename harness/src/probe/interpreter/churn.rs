//! Many short-lived blocks, without a slot: a thread allocates, resizes and frees them as
//! fast as it can, and checks the bytes of each.

use super::blocks::Family;
use super::bytes;
use crate::probe::Stop;
use crate::probe::crt::{Block, Crt};
use crate::wire::observation::{Answer, Call, Kind};

/// The number of blocks that are alive at a time.
const LIVE: usize = 8;
/// The alignment of the blocks of `_aligned_malloc`.
const ALIGNMENT: usize = 64;

/// A live block, and the seed of the pattern in it.
struct Short {
    block: Block,
    seed: u64,
    family: Family,
}

struct Churn<'a> {
    crt: &'a Crt,
    blocks: [Option<Short>; LIVE],
    answer: Answer,
    /// The number of requests that the library refused.
    refused: i64,
    seed: u64,
}

/// Allocates, resizes or frees a block `count` times; `size` is half of the largest size in
/// bytes. Two calls with the same `seed` do the same.
pub(super) fn churn(crt: &Crt, count: usize, size: usize, seed: u64) -> Result<Answer, Stop> {
    let mut churn = Churn {
        crt,
        blocks: Default::default(),
        answer: Answer::default(),
        refused: 0,
        // Each thread has patterns of its own.
        seed: seed << 32,
    };
    for _ in 0..count {
        churn.seed += 1;
        let random = churn.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        let place = random as usize % LIVE;
        let size = 1 + (random as usize / LIVE) % (size.clamp(1, 1 << 20) * 2);
        churn.blocks[place] = match churn.blocks[place].take() {
            None => churn.allocate(size, churn.seed)?,
            Some(short) if random >> 40 & 1 == 1 => churn.resize(short, size)?,
            Some(short) => churn.free(short)?,
        };
    }
    for place in 0..LIVE {
        if let Some(short) = churn.blocks[place].take() {
            churn.free(short)?;
        }
    }
    churn.answer.call = Some(Call {
        routine: "churn".into(),
        arguments: String::new(),
        kind: Kind::Number,
        returned: churn.refused,
        errno: None,
        doserrno: None,
        last_error_before: 0,
        handler_calls: 0,
        refusals: None,
    });
    Ok(churn.answer)
}

impl Churn<'_> {
    fn allocate(&mut self, size: usize, which: u64) -> Result<Option<Short>, Stop> {
        let crt = self.crt;
        let has_aligned = crt.has("_aligned_malloc") && crt.has("_aligned_free");
        let (given, family) = match which % 4 {
            0 if crt.has("calloc") => {
                let given = crt.calloc(1, size)?;
                let not_zero = given.as_ref().map(|block| bytes::not_zero(block, 0));
                self.answer.not_zero += not_zero.unwrap_or(0);
                (given, Family::Plain)
            }
            1 if has_aligned => {
                let given = crt.aligned_malloc(size, ALIGNMENT)?;
                (given, Family::Aligned(ALIGNMENT, 0))
            }
            _ => (crt.malloc(size)?, Family::Plain),
        };
        let Some(block) = given else {
            self.refused += 1;
            return Ok(None);
        };
        self.answer.misaligned |= family.is_misaligned(&block);
        Ok(Some(self.written(block, family)))
    }

    fn resize(&mut self, short: Short, size: usize) -> Result<Option<Short>, Stop> {
        let resizable = short.family == Family::Plain && self.crt.has("realloc");
        if !resizable {
            return self.free(short);
        }
        let old = short.block.size();
        match self.crt.realloc(short.block, size)? {
            Ok(block) => {
                self.answer.lost += bytes::lost(&block, old, short.seed, old.min(size));
                Ok(Some(self.written(block, Family::Plain)))
            }
            Err(block) => {
                self.refused += 1;
                self.free(Short { block, ..short })
            }
        }
    }

    fn free(&mut self, short: Short) -> Result<Option<Short>, Stop> {
        let size = short.block.size();
        self.answer.lost += bytes::lost(&short.block, size, short.seed, size);
        match short.family {
            Family::Plain => self.crt.free(short.block)?,
            Family::Aligned(..) => self.crt.aligned_free(short.block)?,
        }
        Ok(None)
    }

    fn written(&self, block: Block, family: Family) -> Short {
        bytes::write(&block, block.size(), self.seed);
        Short {
            block,
            seed: self.seed,
            family,
        }
    }
}
