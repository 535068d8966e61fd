//! The limits that this suite chose, where a page promises something and gives
//! no number. The page of limits in the book is made from these.

use crate::clause::Limit;

/// What may stay resident after everything was freed and released.
pub static TENTH_OF_WORKLOAD: Limit = Limit {
    bound: "at most 10 % of what the workload held stays resident",
    reason: "a heap may keep its bookkeeping and partly filled pages; a heap that gives nothing back keeps nearly 100 %",
};
