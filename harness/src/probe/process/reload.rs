//! Loads and unloads the candidate many times.

use super::{Reloaded, extent};
use crate::probe::crt::Loaded;
use crate::probe::{Probe, Stop};
use std::ffi::c_void;
use std::sync::mpsc::channel;
use std::thread;

/// A load that may be the first one for the loader's own tables too.
const SETTLED: u32 = 10;
/// A thread that used the heap ends after each unload whose number this divides.
const THREAD_EACH: u32 = 50;

type Malloc = unsafe extern "C" fn(usize) -> *mut c_void;
type Free = unsafe extern "C" fn(*mut c_void);

/// Unloads the candidate, then loads it, uses it and unloads it again, `loads` times.
/// The candidate's routines must not be called afterwards.
///
/// # Errors
/// [`Stop::NotJudged`] if the loader does not name the candidate's file or list mappings.
pub fn reload(probe: &mut Probe, loads: u32) -> Result<Reloaded, Stop> {
    let unnamed = || Stop::NotJudged("the loader does not name the library's file".into());
    let path = probe.crt.loaded_from().ok_or_else(unnamed)?;
    // SAFETY: no routine of the candidate is called through `probe.crt` after this.
    unsafe { probe.crt.close() };
    let mut refused = 0;
    let mut settled = extent()?;
    for load in 0..loads {
        if load == SETTLED {
            settled = extent()?;
        }
        let library = Loaded::open(path.as_ref(), None).map_err(Stop::Failed)?;
        let [malloc, free] = ["malloc", "free"].map(|name| library.find(name));
        if malloc.is_null() || free.is_null() {
            return Err(Stop::Missing("malloc"));
        }
        // SAFETY: the routines of the candidate, with the signatures of their pages.
        let (malloc, free) = unsafe {
            (
                std::mem::transmute::<*const c_void, Malloc>(malloc),
                std::mem::transmute::<*const c_void, Free>(free),
            )
        };
        let use_it = move || {
            [40, 5000, 300_000]
                .into_iter()
                .all(|size| is_block(malloc, free, size))
        };
        refused += u32::from(!use_it());
        let thread = (load % THREAD_EACH == 0).then(|| {
            let (go_on, wait) = channel::<()>();
            let (report, result) = channel();
            let thread = thread::spawn(move || {
                let _ = report.send(use_it());
                let _ = wait.recv();
            });
            refused += u32::from(!result.recv().unwrap_or(false));
            (thread, go_on)
        });
        // SAFETY: no routine of the library is called after this.
        unsafe { library.close() };
        if let Some((thread, go_on)) = thread {
            drop(go_on);
            thread.join().expect("it does not panic");
        }
    }
    let end = extent()?;
    Ok(Reloaded {
        loads,
        refused,
        address_space: end.bytes as i64 - settled.bytes as i64,
        mappings: end.mappings as i64 - settled.mappings as i64,
    })
}

/// Whether a block is returned and can be written. Frees it.
fn is_block(malloc: Malloc, free: Free, size: usize) -> bool {
    // SAFETY: routines of a loaded library, and a block of this size.
    unsafe {
        let block = malloc(size);
        if !block.is_null() {
            block.cast::<u8>().write_bytes(1, size);
        }
        free(block);
        !block.is_null()
    }
}
