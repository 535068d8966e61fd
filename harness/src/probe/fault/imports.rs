//! Windows: replaces the candidate's imports of the routines that release memory, in its
//! import tables, after it is loaded.

use super::{Answer, Refusal, answer, nothing_is_free, was_no_refusal};
use pe::imports::Import;
use pe::{Pe, PeView};
#[cfg(target_pointer_width = "32")]
use pelite::pe32 as pe;
#[cfg(target_pointer_width = "64")]
use pelite::pe64 as pe;
use std::ffi::{CStr, c_char, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};
use windows_sys::Win32::Foundation::{GetLastError, HANDLE, NO_ERROR, SetLastError};
use windows_sys::Win32::System::Memory::{MEM_RESET, PAGE_READWRITE, VirtualProtect};

/// A routine that is replaced: its name, the address of the replacement, and the place for
/// the address of the real one.
struct Routine {
    name: &'static str,
    ours: fn() -> *const c_void,
    real: &'static AtomicUsize,
}

macro_rules! routines {
    ($($real:ident: $name:literal => $ours:ident,)*) => {
        $(static $real: AtomicUsize = AtomicUsize::new(0);)*
        static ROUTINES: &[Routine] = &[$(Routine {
            name: $name,
            ours: || $ours as *const c_void,
            real: &$real,
        },)*];
    };
}

routines! {
    HEAP_COMPACT: "HeapCompact" => heap_compact,
    VIRTUAL_FREE: "VirtualFree" => virtual_free,
    VIRTUAL_ALLOC: "VirtualAlloc" => virtual_alloc,
    DISCARD: "DiscardVirtualMemory" => discard_virtual_memory,
    OFFER: "OfferVirtualMemory" => offer_virtual_memory,
    NT_FREE: "NtFreeVirtualMemory" => nt_free_virtual_memory,
    NT_ALLOCATE: "NtAllocateVirtualMemory" => nt_allocate_virtual_memory,
}

/// Replaces the imports of the module at this address. Fails if it imports none of the
/// routines.
pub(super) fn install(module: *const u8) -> Result<(), String> {
    // SAFETY: the handle of a module that stays loaded.
    let view = unsafe { PeView::module(module) };
    let mut replaced = ordinary(&view)?;
    replaced += delayed(&view, module);
    if replaced == 0 {
        let names: Vec<_> = ROUTINES.iter().map(|routine| routine.name).collect();
        return Err(format!("the library imports none of {}", names.join(", ")));
    }
    Ok(())
}

/// Replaces the imports in the import table. Returns how many. A bound import has the same
/// form and keeps its names.
fn ordinary(view: &PeView<'_>) -> Result<usize, String> {
    let imports = match view.imports() {
        Ok(imports) => imports,
        Err(pelite::Error::Null) => return Ok(0),
        Err(error) => return Err(format!("its import table cannot be read: {error}")),
    };
    let mut replaced = 0;
    for descriptor in imports {
        let (Ok(names), Ok(addresses)) = (descriptor.int(), descriptor.iat()) else {
            continue;
        };
        for (name, address) in names.zip(addresses) {
            if let Ok(Import::ByName { name, .. }) = name {
                let slot = std::ptr::from_ref(address).cast::<usize>().cast_mut();
                replaced += usize::from(replace(&name.to_string(), slot));
            }
        }
    }
    Ok(replaced)
}

/// Replaces the imports that are resolved at their first use. Returns how many.
fn delayed(view: &PeView<'_>, module: *const u8) -> usize {
    const DELAY_IMPORTS: usize = 13;
    let directory = match view.data_directory().get(DELAY_IMPORTS) {
        Some(directory) if directory.VirtualAddress != 0 => directory.VirtualAddress,
        _ => return 0,
    };
    // SAFETY (of both): the loader has checked and mapped these tables; each
    // ends with a zero entry.
    let word = |rva: u32| unsafe { module.add(rva as usize).cast::<u32>().read_unaligned() };
    let entry = |rva: u32| unsafe { module.add(rva as usize).cast::<usize>().read_unaligned() };
    const WIDTH: u32 = size_of::<usize>() as u32;
    let mut replaced = 0;
    let mut descriptor = directory;
    // Without this bit, the tables have addresses instead of offsets: linkers before 2002.
    while word(descriptor + 4) != 0 && word(descriptor) & 1 == 1 {
        let (mut addresses, mut names) = (word(descriptor + 12), word(descriptor + 16));
        while entry(names) != 0 {
            let by_ordinal = entry(names) >> (usize::BITS - 1) == 1;
            if !by_ordinal {
                // SAFETY: a name in the mapped file, after two bytes of hint.
                let name = unsafe { CStr::from_ptr(module.add(entry(names) + 2).cast::<c_char>()) };
                let slot = module
                    .wrapping_add(addresses as usize)
                    .cast::<usize>()
                    .cast_mut();
                replaced += usize::from(replace(&name.to_string_lossy(), slot));
            }
            addresses += WIDTH;
            names += WIDTH;
        }
        descriptor += 32;
    }
    replaced
}

/// Replaces the address in an import's slot if the import is one of the routines. Returns
/// whether it is.
fn replace(name: &str, slot: *mut usize) -> bool {
    let Some(routine) = ROUTINES.iter().find(|routine| routine.name == name) else {
        return false;
    };
    let ours = (routine.ours)() as usize;
    let mut protection = 0;
    // SAFETY: the slot is in the module's import table. The loader wrote it, and no other
    // code changes it now.
    unsafe {
        let real = slot.read();
        if real == ours {
            return true;
        }
        if VirtualProtect(
            slot.cast(),
            size_of::<usize>(),
            PAGE_READWRITE,
            &mut protection,
        ) == 0
        {
            return false;
        }
        routine.real.store(real, Ordering::SeqCst);
        slot.write(ours);
        VirtualProtect(slot.cast(), size_of::<usize>(), protection, &mut protection);
    }
    true
}

/// The real routine with the given signature: the address that the loader had put into the
/// slot. For `unsafe` blocks, which make the same call as the candidate.
macro_rules! real {
    ($real:ident as fn($($argument:ty),*) -> $result:ty) => {
        std::mem::transmute::<usize, unsafe extern "system" fn($($argument),*) -> $result>(
            $real.load(Ordering::SeqCst),
        )
    };
}

/// The last error of a refusal; `None` if the refusal keeps the earlier value.
fn code(refusal: Refusal) -> Option<u32> {
    match refusal {
        Refusal::Unsupported => Some(120),
        Refusal::AccessDenied => Some(5),
        Refusal::NoMemory => Some(8),
        Refusal::InvalidParameter => Some(87),
        Refusal::Stale => None,
    }
}

fn refuse(refusal: Refusal) {
    if let Some(code) = code(refusal) {
        // SAFETY: a value of this thread.
        unsafe { SetLastError(code) };
    }
}

fn status(refusal: Refusal) -> i32 {
    (match refusal {
        Refusal::Unsupported | Refusal::Stale => 0xC000_0002u32,
        Refusal::AccessDenied => 0xC000_0022,
        Refusal::NoMemory => 0xC000_0017,
        Refusal::InvalidParameter => 0xC000_000D,
    }) as i32
}

extern "system" fn heap_compact(heap: HANDLE, flags: u32) -> usize {
    if nothing_is_free() {
        // SAFETY: a value of this thread.
        unsafe { SetLastError(NO_ERROR) };
        return 0;
    }
    match answer() {
        Answer::Refuse(refusal) => {
            refuse(refusal);
            // By its page, 0 with NO_ERROR is no failure.
            // SAFETY: a value of this thread.
            if unsafe { GetLastError() } == NO_ERROR {
                was_no_refusal();
            }
            0
        }
        // The size of the largest free block, as a system with the call returns it.
        Answer::Succeed => 1 << 16,
        // SAFETY: the call that the candidate makes.
        Answer::PassThrough => unsafe {
            real!(HEAP_COMPACT as fn(HANDLE, u32) -> usize)(heap, flags)
        },
    }
}

extern "system" fn virtual_free(address: *mut c_void, size: usize, kind: u32) -> i32 {
    if let Answer::Refuse(refusal) = answer() {
        refuse(refusal);
        return 0;
    }
    // SAFETY: the call that the candidate makes.
    unsafe { real!(VIRTUAL_FREE as fn(*mut c_void, usize, u32) -> i32)(address, size, kind) }
}

extern "system" fn virtual_alloc(
    address: *mut c_void,
    size: usize,
    kind: u32,
    protection: u32,
) -> *mut c_void {
    if kind & MEM_RESET != 0
        && let Answer::Refuse(refusal) = answer()
    {
        refuse(refusal);
        return std::ptr::null_mut();
    }
    // SAFETY: the call that the candidate makes.
    unsafe {
        real!(VIRTUAL_ALLOC as fn(*mut c_void, usize, u32, u32) -> *mut c_void)(
            address, size, kind, protection,
        )
    }
}

extern "system" fn discard_virtual_memory(address: *mut c_void, size: usize) -> u32 {
    match answer() {
        Answer::Refuse(refusal) => code(refusal).unwrap_or(1),
        // SAFETY: the call that the candidate makes.
        _ => unsafe { real!(DISCARD as fn(*mut c_void, usize) -> u32)(address, size) },
    }
}

extern "system" fn offer_virtual_memory(address: *mut c_void, size: usize, priority: i32) -> u32 {
    match answer() {
        Answer::Refuse(refusal) => code(refusal).unwrap_or(1),
        // SAFETY: the call that the candidate makes.
        _ => unsafe { real!(OFFER as fn(*mut c_void, usize, i32) -> u32)(address, size, priority) },
    }
}

extern "system" fn nt_free_virtual_memory(
    process: HANDLE,
    address: *mut *mut c_void,
    size: *mut usize,
    kind: u32,
) -> i32 {
    match answer() {
        Answer::Refuse(refusal) => status(refusal),
        // SAFETY: the call that the candidate makes.
        _ => unsafe {
            real!(NT_FREE as fn(HANDLE, *mut *mut c_void, *mut usize, u32) -> i32)(
                process, address, size, kind,
            )
        },
    }
}

extern "system" fn nt_allocate_virtual_memory(
    process: HANDLE,
    address: *mut *mut c_void,
    zero_bits: usize,
    size: *mut usize,
    kind: u32,
    protection: u32,
) -> i32 {
    if kind & MEM_RESET != 0
        && let Answer::Refuse(refusal) = answer()
    {
        return status(refusal);
    }
    // SAFETY: the call that the candidate makes.
    unsafe {
        real!(NT_ALLOCATE as fn(HANDLE, *mut *mut c_void, usize, *mut usize, u32, u32) -> i32)(
            process, address, zero_bits, size, kind, protection,
        )
    }
}
