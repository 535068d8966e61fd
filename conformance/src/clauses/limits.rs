//! The limits that this suite chose, where a page promises something and gives
//! no number. The page of limits in the book is made from these.

use crate::clause::Limit;

/// What may stay resident after everything was freed and released.
pub static TENTH_OF_WORKLOAD: Limit = Limit {
    bound: "at most 10 % of what the workload held stays resident",
    reason: "a heap may keep its bookkeeping and partly filled pages; a heap that gives nothing back keeps nearly 100 %",
};

/// What may stay resident after aligned blocks were freed one after another.
pub static ALIGNED_BLOCKS_REUSED: Limit = Limit {
    bound: "at most 8 MiB more resident after 2000 aligned blocks, 127 MiB in all, each freed before the next",
    reason: "a heap may keep some freed blocks of several sizes; a heap that loses one block in ten keeps 12 MiB",
};
