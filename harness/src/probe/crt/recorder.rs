//! Records which pairs of values the calls of each routine cover; see
//! [`coverage`](crate::wire::coverage). Only the test of the coverage turns it on.
//!
//! The values come from what a call does, not from what a case says about itself: the
//! recorder follows each block from the call that returns it to the call that frees it, and
//! keeps the history of all memory that was in a block. Its own tables are allocated when
//! it starts, so that a fault or a limit on memory does not reach them.

mod memory;
mod request;

use super::Block;
use crate::probe::fault;
use crate::wire::coverage::{Dimension, Pairs, ROUTINES, Value, Values};
use memory::Memory;
pub(super) use request::Request;
use request::old_size_class;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ffi::c_void;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The number of blocks that are live at one time, at most. More would let the table grow.
const BLOCKS: usize = 3_000_000;

/// Whether the address space is limited.
static IS_LIMITED: AtomicBool = AtomicBool::new(false);

/// Notes that the address space of this process is limited from now on.
pub(in crate::probe) fn address_space_is_limited() {
    IS_LIMITED.store(true, Ordering::Relaxed);
}

/// A live block.
#[derive(Clone, Copy)]
struct Live {
    size: usize,
    /// The number of calls of `_heapmin` before it was allocated.
    releases: u16,
    /// The number of the thread that allocated it.
    thread: u32,
    /// Its size, alignment, and the history of its memory and of its sizes.
    values: Values,
    was_shrunk: bool,
    was_grown: bool,
}

/// A block that a call gets to resize or free.
pub(super) struct Taken {
    address: usize,
    live: Live,
    /// Whether a byte at its start is not 0.
    is_dirty: bool,
    /// Whether a byte is not 0 at the start of what the call cuts off.
    is_tail_dirty: bool,
}

/// What is recorded while a case runs.
struct Record {
    memory: Memory,
    live: HashMap<usize, Live>,
    /// How many live blocks have these values.
    kinds: HashMap<Values, usize>,
    /// The values of blocks that were freed since the last call of `_heapmin`.
    freed: HashSet<Values>,
    /// The number of calls of `_heapmin` that succeeded.
    releases: u16,
    covered: Vec<Pairs>,
}

/// Records calls, or does nothing if it is not turned on.
pub(super) struct Recorder(Option<Box<On>>);

struct On {
    record: Mutex<Record>,
    /// A child of the process does not record: another thread may have held the lock when
    /// it was made.
    process: u32,
}

impl Recorder {
    pub(super) fn new(is_on: bool) -> Recorder {
        Recorder(is_on.then(|| {
            Box::new(On {
                process: std::process::id(),
                record: Mutex::new(Record {
                    memory: Memory::new(),
                    live: HashMap::with_capacity(BLOCKS),
                    kinds: HashMap::with_capacity(10_000),
                    freed: HashSet::with_capacity(10_000),
                    releases: 0,
                    covered: ROUTINES.iter().map(|_| Pairs::with_room()).collect(),
                }),
            })
        }))
    }

    fn record(&self) -> Option<MutexGuard<'_, Record>> {
        let on = self.0.as_deref()?;
        let lock = || on.record.lock().unwrap_or_else(PoisonError::into_inner);
        (std::process::id() == on.process).then(lock)
    }

    /// The pairs of each routine that was called.
    pub(super) fn covered(&self) -> Vec<(&'static str, Pairs)> {
        let Some(record) = self.record() else {
            return Vec::new();
        };
        let covered = ROUTINES.iter().copied().zip(record.covered.iter().cloned());
        covered.filter(|(_, pairs)| !pairs.is_empty()).collect()
    }

    /// Records a call that returned a new block, or null.
    pub(super) fn allocated(&self, routine: &str, request: Request, returned: *mut c_void) {
        // Size 0 is invalid for a new aligned block.
        let is_invalid = request.is_invalid() || request.is_aligned_zero();
        if let Some(mut record) = self.record()
            && !is_invalid
        {
            record.allocated(routine, request, returned as usize);
        }
    }

    /// The block that a call is about to resize, or to free (`request` is then of 0 bytes).
    /// `None` if it is no live block.
    pub(super) fn take(&self, block: *mut c_void, request: Request) -> Option<Taken> {
        let mut record = self.record()?;
        let address = block as usize;
        let live = record.remove(address)?;
        let kept = request.size.unwrap_or(usize::MAX).min(live.size);
        Some(Taken {
            address,
            live,
            is_dirty: memory::is_dirty(address, live.size),
            is_tail_dirty: memory::is_dirty(address + kept, live.size - kept),
        })
    }

    /// Records a call that resized a block: `returned` is the new block, or null.
    pub(super) fn resized(
        &self,
        routine: &str,
        block: &Block,
        taken: Option<Taken>,
        request: Request,
        returned: *mut c_void,
    ) {
        match taken {
            None if block.address() == 0 => self.allocated(routine, request, returned),
            None => {}
            Some(taken) => {
                if let Some(mut record) = self.record() {
                    record.resized(routine, taken, request, returned as usize);
                }
            }
        }
    }

    /// Records a call that freed a block.
    pub(super) fn freed(&self, routine: &str, taken: Option<Taken>) {
        if let Some(mut record) = self.record()
            && let Some(taken) = taken
        {
            let values = record.of_block(&taken.live);
            record.call(routine, values);
            record.give_up(&taken);
        }
    }

    /// Records a call that only read a block.
    pub(super) fn read(&self, routine: &str, block: &Block) {
        if let Some(mut record) = self.record()
            && let Some(live) = record.live.get(&block.address()).copied()
        {
            let values = record.of_block(&live);
            record.call(routine, values);
        }
    }

    /// Records a call for all live blocks of the heap.
    pub(super) fn walked(&self, routine: &str) {
        if let Some(mut record) = self.record() {
            let kinds = mem::take(&mut record.kinds);
            record.whole(routine, kinds.keys());
            record.kinds = kinds;
        }
    }

    /// Records a call for all memory that was freed since the last release.
    pub(super) fn released(&self, routine: &str, has_released: bool) {
        if let Some(mut record) = self.record() {
            let mut freed = mem::take(&mut record.freed);
            record.whole(routine, freed.iter());
            if has_released {
                freed.clear();
                record.releases = (record.releases + 1).min(memory::MOST_RELEASES);
            }
            record.freed = freed;
        }
    }
}

impl Record {
    /// Adds a call with these values.
    fn call(&mut self, routine: &str, values: Values) {
        let index = ROUTINES.iter().position(|known| *known == routine);
        let index = index.expect("a routine of the list");
        self.covered[index].add(values.with(circumstances()));
    }

    fn whole<'a>(&mut self, routine: &str, kinds: impl Iterator<Item = &'a Values>) {
        self.call(routine, Values::default());
        for kind in kinds {
            self.call(routine, *kind);
        }
    }

    fn insert(&mut self, address: usize, live: Live) {
        *self.kinds.entry(live.values).or_default() += 1;
        if let Some(before) = self.live.insert(address, live) {
            self.forget(&before);
        }
    }

    fn remove(&mut self, address: usize) -> Option<Live> {
        let live = self.live.remove(&address)?;
        self.forget(&live);
        Some(live)
    }

    fn forget(&mut self, live: &Live) {
        if let Some(count) = self.kinds.get_mut(&live.values) {
            *count -= 1;
            if *count == 0 {
                self.kinds.remove(&live.values);
            }
        }
    }

    /// The values of a block for a call that takes it.
    fn of_block(&self, live: &Live) -> Values {
        let mut values = live.values;
        if live.releases != self.releases {
            values = values.with(Values::of(Value::Released));
        }
        if live.thread != this_thread() {
            values = values.with(Values::of(Value::OtherThread));
        }
        values
    }

    /// Marks the memory of a block that was freed or moved.
    fn give_up(&mut self, taken: &Taken) {
        let values = self.of_block(&taken.live);
        self.freed.insert(values);
        let (address, size) = (taken.address, taken.live.size);
        self.memory
            .give_up(address, size, taken.is_dirty, self.releases);
    }

    fn allocated(&mut self, routine: &str, request: Request, address: usize) {
        let mut values = request.values();
        if address != 0 {
            let size = request.size.unwrap_or(0);
            let memory = &mut self.memory;
            values = values.with(memory.history(address, size, self.releases, this_thread()));
            memory.occupy(address, size, this_thread());
            self.insert(
                address,
                Live {
                    size,
                    releases: self.releases,
                    thread: this_thread(),
                    values,
                    was_shrunk: false,
                    was_grown: false,
                },
            );
        }
        self.call(routine, values);
    }

    fn resized(&mut self, routine: &str, taken: Taken, request: Request, address: usize) {
        let old = taken.live;
        let size = request.size.unwrap_or(usize::MAX);
        let (grows, shrinks) = (size > old.size, size < old.size);
        let mut history = self.of_block(&old).in_dimension(Dimension::History);
        if address != 0 && (address != taken.address || grows) {
            let first = old.size.min(size);
            let (me, releases) = (this_thread(), self.releases);
            let added = self
                .memory
                .history(address + first, size - first, releases, me);
            if grows {
                history = history.without([Value::Fresh, Value::Used].into());
            }
            history = history.with(added);
        }
        if grows && old.was_shrunk {
            history = history.with(Values::of(Value::ShrunkGrown));
        }
        if shrinks && size > 0 && old.was_grown {
            history = history.with(Values::of(Value::GrownShrunk));
        }
        let values = request.values().with(history);
        if !request.is_invalid() {
            let old_size = Values::of(old_size_class(old.size));
            self.call(routine, values.with(old_size));
        }
        if address == 0 {
            match size == 0 && routine != "_expand" {
                true => self.give_up(&taken),
                false => self.insert(taken.address, old),
            }
            return;
        }
        if address != taken.address {
            self.give_up(&taken);
        } else if shrinks {
            let (tail, cut) = (address + size, old.size - size);
            self.memory
                .give_up(tail, cut, taken.is_tail_dirty, self.releases);
        }
        self.memory.occupy(address, size, this_thread());
        self.insert(
            address,
            Live {
                size,
                values,
                was_shrunk: old.was_shrunk || shrinks,
                was_grown: old.was_grown || grows,
                ..old
            },
        );
    }
}

/// The values of every call that is made now: its thread, and what the system refuses.
fn circumstances() -> Values {
    let thread = match this_thread() {
        0 => Value::First,
        _ => Value::Another,
    };
    let mut values = Values::of(thread);
    if ENDED.load(Ordering::Relaxed) > 0 {
        values = values.with(Values::of(Value::AfterEnded));
    }
    let mut faults = fault::in_force();
    if IS_LIMITED.load(Ordering::Relaxed) {
        faults = faults.with(Values::of(Value::AddressLimit));
    }
    match faults == Values::default() {
        true => values.with(Values::of(Value::NoFault)),
        false => values.with(faults),
    }
}

/// The number of threads that called a routine.
static STARTED: AtomicU32 = AtomicU32::new(0);
/// The number of them that ended.
static ENDED: AtomicU32 = AtomicU32::new(0);

/// The number of a thread. It is dropped when the thread ends.
struct Numbered(u32);

impl Drop for Numbered {
    fn drop(&mut self) {
        ENDED.fetch_add(1, Ordering::Relaxed);
    }
}

/// The number of this thread among those that called a routine, from 0.
fn this_thread() -> u32 {
    thread_local! {
        static NUMBER: RefCell<Option<Numbered>> = const { RefCell::new(None) };
    }
    let number = NUMBER.try_with(|number| {
        let mut number = number.borrow_mut();
        let first = || Numbered(STARTED.fetch_add(1, Ordering::Relaxed));
        number.get_or_insert_with(first).0
    });
    // A destructor of the thread may call a routine after the number was dropped.
    number.unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pairs of a routine so far.
    fn pairs(recorder: &Recorder, routine: &str) -> Pairs {
        let covered = recorder.covered();
        let found = covered.into_iter().find(|(name, _)| *name == routine);
        found.map_or(Pairs::default(), |(_, pairs)| pairs)
    }

    // One test: the numbers of threads are those of the whole process.
    #[test]
    fn calls_are_recorded_with_the_history_of_their_block() {
        let recorder = Recorder::new(true);
        let mut bytes = vec![1u8; 4096];
        let address: *mut c_void = bytes.as_mut_ptr().cast();
        let block = Block::at(address as usize, 100);
        recorder.allocated("malloc", Request::of(100), address);
        assert!(pairs(&recorder, "malloc").has(Value::Small, Value::Fresh));
        let resize = |size| {
            let request = Request::of(size);
            let taken = recorder.take(address, request);
            recorder.resized("realloc", &block, taken, request, address);
        };
        resize(50);
        assert!(!pairs(&recorder, "realloc").has(Value::Small, Value::ShrunkGrown));
        resize(2000);
        assert!(pairs(&recorder, "realloc").has(Value::Medium, Value::ShrunkGrown));
        assert!(pairs(&recorder, "realloc").has(Value::OldSmall, Value::Medium));
        recorder.freed("free", recorder.take(address, Request::of(0)));
        assert!(pairs(&recorder, "free").has(Value::Medium, Value::ShrunkGrown));
        // The block is not live any more.
        recorder.read("_msize", &block);
        assert!(pairs(&recorder, "_msize").is_empty());
        recorder.allocated("calloc", Request::array(10, 10), address);
        assert!(pairs(&recorder, "calloc").has(Value::Small, Value::Used));
        recorder.freed("free", recorder.take(address, Request::of(0)));
        recorder.released("_heapmin", true);
        assert!(pairs(&recorder, "_heapmin").has(Value::Medium, Value::ShrunkGrown));
        recorder.allocated("calloc", Request::array(10, 10), address);
        assert!(pairs(&recorder, "calloc").has(Value::Small, Value::Released));
        assert!(Recorder::new(false).covered().is_empty());
    }
}
