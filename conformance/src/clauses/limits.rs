//! The limits that this suite chose, where a page promises something and gives
//! no number. The page of limits in the book is made from these.

use crate::clause::Limit;

pub(crate) static TENTH_OF_WORKLOAD: Limit = Limit {
    bound: "at most 10 % of what the workload held stays resident",
    reason: "not lower: a heap may keep its own tables and partly filled pages; not higher: a heap that returns nothing keeps nearly 100 %, and one that never empties its lists of free blocks was seen to keep 12 %",
};

pub(crate) static LIVE_PAGES_AND_TENTH: Limit = Limit {
    bound: "at most the pages that hold a live block, and 10 % of what the workload held, stay resident",
    reason: "not lower: a page with a live block cannot be returned, and a heap may keep its own tables; not higher: a heap that returns nothing keeps nearly 100 %, and the pages with live blocks are about a third",
};

pub(crate) static FIRST_TOUCHED_PAGES: Limit = Limit {
    bound: "at most 64 KiB more are resident after _heapmin than before",
    reason: "not lower: the call may touch pages of its own stack and data for the first time; not higher: a heap that takes one page in each of the hundred calls of the case nothing-to-release adds 400 KiB",
};

pub(crate) static HUNDREDTH_OF_WORKLOAD: Limit = Limit {
    bound: "resident memory after the second call differs by at most 1 % of what the workload held, or 64 KiB if that is more",
    reason: "not lower: the call itself touches and releases some pages; not higher: a first call that left a part of the unused memory for the second would show as several percent",
};

pub(crate) static FIFTIETH_OF_PEAK: Limit = Limit {
    bound: "at most 2 % more are resident with the large block than at the peak of the small blocks",
    reason: "not lower: the heap keeps tables for both kinds of blocks; not higher: a heap that does not merge free blocks needs up to twice the peak",
};

pub(crate) static QUARTER_OF_PEAK: Limit = Limit {
    bound: "when the same workload is filled again, at most 25 % more are resident than at the first filling",
    reason: "not lower: sound heaps were seen to grow by 14 % while their caches fill; not higher: a heap that never uses freed memory again holds four times the workload at the fourth filling",
};

pub(crate) static LARGE_BLOCK_UNDER_LIMIT: Limit = Limit {
    bound: "one block of 32 MiB fits where 256 MiB of small blocks were freed",
    reason: "not smaller: a heap that keeps the memory of its small blocks must have no room for it; not larger: the heap needs some of the 256 MiB for its own tables, and so does the rest of the process",
};

pub(crate) static TWICE_A_ROUND: Limit = Limit {
    bound: "at most 16 MiB more are resident after 100 rounds of 8 MiB than before them",
    reason: "not lower: a heap may keep the 8 MiB of a round, and each round has other sizes, which leaves gaps; not higher: a heap that never uses freed memory again holds 800 MiB",
};

pub(crate) static TENTH_OF_FREED_BLOCKS: Limit = Limit {
    bound: "at most 10 % of 64 blocks of 1 MiB stay resident",
    reason: "not lower: a heap may keep a few freed blocks for later requests; not higher: a heap that does not free the blocks keeps all of them",
};

pub(crate) static THREADS_THAT_ENDED: Limit = Limit {
    bound: "after 1000 threads that ended, at most 10 % and 64 KiB more are resident than after 10",
    reason: "not lower: a heap may use another part of itself for the 11th thread, and the system keeps some pages of its own for threads; not higher: a heap that loses a page for each thread keeps 4 MiB",
};

pub(crate) static CHILD_ENDS: Limit = Limit {
    bound: "each of 20 children ends within 5 s",
    reason: "not shorter: a child needs milliseconds, and a busy machine may delay it; not longer: a child that waits for a lock of a thread that it does not have waits for ever. POSIX promises the child a copy of the address space, and only async-signal-safe calls if the parent has several threads; this clause expects more, as C libraries in wide use do",
};

pub(crate) static ALIGNED_BLOCKS_REUSED: Limit = Limit {
    bound: "at most 8 MiB more resident after 2000 aligned blocks, 127 MiB in all, each freed before the next",
    reason: "not lower: a heap may keep some freed blocks of several sizes; not higher: a heap that loses one block in ten keeps 12 MiB",
};
