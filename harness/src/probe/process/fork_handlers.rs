//! Fork handlers of another library than the heap, which allocate and free.
//!
//! Handlers that are registered before those of the heap run while the heap is ready for
//! the fork: `prepare` handlers run in the reverse order. So these are registered before
//! the constructor of any library runs. They do nothing until a case arms them.

use crate::probe::Stop;
use crate::probe::crt::{Bare, Crt};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

static HEAP: OnceLock<Bare> = OnceLock::new();
static IS_REGISTERED: AtomicBool = AtomicBool::new(false);
static CALLS: AtomicU32 = AtomicU32::new(0);

/// The loader of glibc runs this before the constructors of all libraries, preloaded ones
/// too. Other loaders may ignore it.
#[used]
#[unsafe(link_section = ".preinit_array")]
static BEFORE_ALL_LIBRARIES: extern "C" fn() = register;

extern "C" fn register() {
    // SAFETY: the handlers may be called at any time. Registering allocates nothing for
    // the first of them.
    let done = unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
    IS_REGISTERED.store(done == 0, Ordering::Relaxed);
}

extern "C" fn prepare() {
    use_the_heap(100);
}

extern "C" fn parent() {
    use_the_heap(200);
}

extern "C" fn child() {
    use_the_heap(30_000);
}

fn use_the_heap(size: usize) {
    let Some(heap) = HEAP.get() else { return };
    if let Ok(mut block) = heap.malloc(size) {
        block.fill(7);
        if block.is_all(7) {
            CALLS.fetch_add(1, Ordering::Relaxed);
        }
        heap.free(block);
    }
}

/// From here on, three fork handlers of this process allocate and free on the candidate.
///
/// # Errors
/// [`Stop::NotJudged`] if the handlers could not be registered before the candidate's.
pub fn arm_fork_handlers(crt: &Crt) -> Result<(), Stop> {
    if !IS_REGISTERED.load(Ordering::Relaxed) {
        let why = "this loader registers no fork handlers before those of the library";
        return Err(Stop::NotJudged(why.into()));
    }
    let _ = HEAP.set(crt.bare()?);
    Ok(())
}

/// How many handlers got a block, kept its bytes and freed it, in this process.
pub fn calls_of_fork_handlers() -> u32 {
    CALLS.load(Ordering::Relaxed)
}
