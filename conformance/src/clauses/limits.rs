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

pub(crate) static HANDLERS_END: Limit = Limit {
    bound: "a fork with handlers that allocate ends within 50 times the time of one without, and 300 ms at least",
    reason: "not shorter: the fork needs milliseconds, and a busy machine may delay it; not longer: a process that waits for a lock of its own thread waits for ever. POSIX promises that the handlers run around the fork, and leaves open what they may call; this clause expects that they may allocate, as they may with the heaps of glibc and FreeBSD",
};

pub(crate) static FORKS_END: Limit = Limit {
    bound: "each of 24 children ends within 5 s",
    reason: "not shorter: a child needs milliseconds, and a busy machine may delay it; not longer: a child that waits for a lock of a thread that it does not have waits for ever. This clause expects more than POSIX promises the child of a process with several threads, as C libraries in wide use do",
};

pub(crate) static MEBIBYTE_OF_BLOCKS: Limit = Limit {
    bound: "1000 blocks of 1 KiB under the limit",
    reason: "not more: the smallest limit must also hold the program, its libraries and their stacks; not fewer: the first block could come from memory that the library has from its start",
};

pub(crate) static QUARTER_FOR_STACKS: Limit = Limit {
    bound: "four threads start whose stacks together are a quarter of the limit",
    reason: "not more: the program, its libraries and the heap need some of it, at the smallest limit nearly half; not less: a heap that reserves most of what it can get leaves less than that",
};

pub(crate) static CORE_SIZE: Limit = Limit {
    bound: "at most 1 GiB in a core file of a process whose heap holds 1 MiB",
    reason: "not lower: heaps write in reservations of some hundred MiB, and the pages never written take no room on most file systems; not higher: a program that stores core files through a pipe reads each byte, and a TiB takes hours",
};

pub(crate) static LOCKED_MEMORY: Limit = Limit {
    bound: "under a limit of 256 MiB of locked memory",
    reason: "not lower: the program with its libraries and stacks counts too; not higher: a heap that holds 1 MiB needs no more",
};

pub(crate) static LOCKED_FUTURE: Limit = Limit {
    bound: "under a limit of 8 MiB of memory that is locked when it is mapped",
    reason: "not lower: a heap takes memory in pieces of some MiB; not higher: this is the limit of a user on most systems",
};

pub(crate) static AFTER_UNLOADS: Limit = Limit {
    bound: "at most 64 MiB of address space and 64 mappings more after 1,000 loads than after 10",
    reason: "not lower: the loader and the system's heap keep something for later threads; not higher: a library that leaves one page mapped each time adds 990 mappings or 4 MiB, and one that leaves its heap far more",
};

pub(crate) static AFTER_THREADS: Limit = Limit {
    bound: "at most 1 MiB more are resident after 220 threads than after 20",
    reason: "not lower: a heap may keep a few freed blocks for later threads; not higher: a heap that loses two pages in each thread adds 1.6 MiB",
};
