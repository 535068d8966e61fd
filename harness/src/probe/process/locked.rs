//! Locks the memory of the process, as a user without privileges may.

use super::{Locked, Pages, extent};
use rustix::process::{Resource, Rlimit, setrlimit};
use std::ffi::c_int;

/// The header and the data of `capset` (linux/capability.h, version 3).
#[repr(C)]
struct Header {
    version: u32,
    pid: c_int,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Data {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

const VERSION_3: u32 = 0x2008_0522;
/// The capability to lock any amount of memory. A process that has it is not limited, and
/// a large mapping would take all memory of the machine.
const CAP_IPC_LOCK: u32 = 14;

/// Lets this process lock `limit` bytes at most, and locks these pages.
///
/// Without the privilege to raise its limit, the process cannot try. Then the size of the
/// address space decides, since the system compares that with the limit.
pub fn lock_all_memory(limit: u64, pages: Pages) -> Locked {
    let bound = Rlimit {
        current: Some(limit),
        maximum: Some(limit),
    };
    let is_limited = setrlimit(Resource::Memlock, bound).is_ok();
    if !is_limited && pages != Pages::Future {
        return match extent() {
            Ok(extent) if extent.bytes > limit => Locked::TooMany,
            Ok(_) => Locked::WouldFit,
            Err(_) => Locked::Unknown,
        };
    }
    if !is_limited || !give_up_privilege() {
        return Locked::Unknown;
    }
    let flags = match pages {
        Pages::Current => libc::MCL_CURRENT,
        Pages::Future => libc::MCL_FUTURE,
        Pages::Both => libc::MCL_CURRENT | libc::MCL_FUTURE,
        Pages::BothAtFirstUse => libc::MCL_CURRENT | libc::MCL_FUTURE | libc::MCL_ONFAULT,
    };
    // SAFETY: a setting of this process. Without the privilege the limit holds.
    if unsafe { libc::mlockall(flags) } == 0 {
        return Locked::Yes;
    }
    match std::io::Error::last_os_error().raw_os_error() {
        Some(libc::ENOMEM | libc::EAGAIN) => Locked::TooMany,
        _ => Locked::Unknown,
    }
}

/// Gives up the privilege to lock more than the limit. Returns false if it may still be
/// there.
fn give_up_privilege() -> bool {
    let mut header = Header {
        version: VERSION_3,
        pid: 0,
    };
    let mut data = [Data::default(); 2];
    // SAFETY: the structures of version 3, for this thread.
    unsafe {
        if libc::syscall(libc::SYS_capget, &mut header, &mut data) != 0 {
            return false;
        }
        data[0].effective &= !(1 << CAP_IPC_LOCK);
        data[0].permitted &= !(1 << CAP_IPC_LOCK);
        libc::syscall(libc::SYS_capset, &header, &data) == 0
    }
}
