//! Linux: a seccomp filter sends the system calls that release memory to a signal handler.
//! The handler refuses each call or makes it for the candidate. A second filter does so
//! with the calls that request memory.

use super::{Answer, Refusal, answer, refuses_memory};
use crate::probe::filter::{self, Rules};
use libc::{c_int, c_long, c_void, siginfo_t, ucontext_t};
use seccompiler::{SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompRule};
use std::sync::OnceLock;

/// The sixth argument of calls that the handler makes itself; the filter allows calls with
/// it. None of these system calls has a sixth argument of its own, but for `mmap`.
const OURS: u64 = 0x6865_6170_6D69_6E21 & usize::MAX as u64;

/// The flag of an `mmap` that the handler makes itself. The kernel looks at this bit only
/// if the mapping has huge pages, and the filter allows those.
const OUR_MAPPING: u64 = 1 << 30;
const _: () = assert!(OUR_MAPPING as c_int & (libc::MAP_ANONYMOUS | libc::MAP_HUGETLB) == 0);

/// The call that maps memory. On 32-bit x86 this one has six arguments; `mmap` has one.
#[cfg(target_arch = "x86")]
const MMAP: c_long = libc::SYS_mmap2;
#[cfg(not(target_arch = "x86"))]
const MMAP: c_long = libc::SYS_mmap;

/// The system calls that can release memory. `brk` does so if it lowers the break.
const CALLS: [c_long; 5] = [
    libc::SYS_madvise,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_brk,
    libc::SYS_process_madvise,
];

/// Puts the filter on every thread of this process, once.
pub(super) fn install() -> Result<(), String> {
    static DONE: OnceLock<Result<(), String>> = OnceLock::new();
    DONE.get_or_init(|| {
        handle_sigsys()?;
        let not_ours = (5, SeccompCmpOp::Ne, OURS);
        apply_filter(&CALLS.map(|call| (call, not_ours.clone())))
    })
    .clone()
}

/// Puts the filter for requests on every thread, once. [`install`] comes first: its filter
/// has the requests through `brk` and `mremap`.
pub(super) fn intercept_requests() -> Result<(), String> {
    static DONE: OnceLock<Result<(), String>> = OnceLock::new();
    let mask = OUR_MAPPING | (libc::MAP_ANONYMOUS | libc::MAP_HUGETLB) as u64;
    let is_new = SeccompCmpOp::MaskedEq(mask);
    let filter = [
        (MMAP, (3, is_new, libc::MAP_ANONYMOUS as u64)),
        (libc::SYS_mprotect, (5, SeccompCmpOp::Ne, OURS)),
    ];
    DONE.get_or_init(|| apply_filter(&filter)).clone()
}

/// Sends calls to the handler if an argument, given by its index, compares with a value.
fn apply_filter(calls: &[(c_long, (u8, SeccompCmpOp, u64))]) -> Result<(), String> {
    let not_here = |error: String| format!("seccomp is not available here: {error}");
    let text = |error: seccompiler::BackendError| not_here(error.to_string());
    let mut rules = Rules::new();
    for (call, (index, operator, value)) in calls {
        let qword = SeccompCmpArgLen::Qword;
        let condition = SeccompCondition::new(*index, qword, operator.clone(), *value);
        let rule = SeccompRule::new(vec![condition.map_err(text)?]).map_err(text)?;
        rules.insert(*call, vec![rule]);
    }
    filter::apply(rules, SeccompAction::Trap).map_err(not_here)
}

fn handle_sigsys() -> Result<(), String> {
    // SAFETY: zeros are a valid sigaction; the handler has the signature for SA_SIGINFO
    // and does only what a signal handler may do.
    let done = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_sigsys as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_NODEFER | libc::SA_ONSTACK;
        libc::sigaction(libc::SIGSYS, &action, std::ptr::null_mut())
    };
    match done {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error().to_string()),
    }
}

extern "C" fn on_sigsys(_: c_int, _: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: with SA_SIGINFO the kernel passes a context that the handler may change
    // until it returns.
    let registers = Registers(unsafe { &mut *context.cast::<ucontext_t>() });
    let (call, arguments) = registers.call();
    // SAFETY: this thread's own variable. A handler must restore it.
    let kept = unsafe { *libc::__errno_location() };
    let result = if releases(call, &arguments) {
        match answer() {
            // A refused brk only returns the current break.
            Answer::Refuse(_) if call == libc::SYS_brk => make(call, [0; 6]),
            Answer::Refuse(refusal) => -i64::from(number(refusal)),
            Answer::PassThrough | Answer::Succeed => make(call, arguments),
        }
    } else if requests(call, &arguments) && refuses_memory() {
        match call {
            libc::SYS_brk => make(call, [0; 6]),
            _ => -i64::from(libc::ENOMEM),
        }
    } else {
        make(call, arguments)
    };
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = kept };
    registers.set_result(result);
}

fn number(refusal: Refusal) -> c_int {
    match refusal {
        Refusal::Unsupported | Refusal::Stale => libc::ENOSYS,
        Refusal::AccessDenied => libc::EPERM,
        Refusal::NoMemory => libc::ENOMEM,
        Refusal::InvalidParameter => libc::EINVAL,
    }
}

fn releases(call: c_long, arguments: &[u64; 6]) -> bool {
    match call {
        // A call that reads or raises the break releases nothing.
        libc::SYS_brk => arguments[0] != 0 && arguments[0] < make(call, [0; 6]) as u64,
        // Other advice, such as about huge pages, releases nothing.
        libc::SYS_madvise => is_release_advice(arguments[2]),
        libc::SYS_process_madvise => is_release_advice(arguments[3]),
        // A call that moves or grows a mapping releases nothing.
        libc::SYS_mremap => arguments[2] < arguments[1],
        MMAP | libc::SYS_mprotect => false,
        _ => true,
    }
}

fn requests(call: c_long, arguments: &[u64; 6]) -> bool {
    let is_writable = arguments[2] & libc::PROT_WRITE as u64 != 0;
    match call {
        libc::SYS_brk => arguments[0] > make(call, [0; 6]) as u64,
        libc::SYS_mremap => arguments[2] > arguments[1],
        // A mapping in the place of another one requests no addresses. It replaces pages.
        MMAP => arguments[3] & libc::MAP_FIXED as u64 == 0 || is_writable,
        libc::SYS_mprotect => is_writable,
        _ => false,
    }
}

fn is_release_advice(advice: u64) -> bool {
    const REMOVE: [c_int; 6] = [
        libc::MADV_DONTNEED,
        libc::MADV_DONTNEED_LOCKED,
        libc::MADV_FREE,
        libc::MADV_REMOVE,
        libc::MADV_PAGEOUT,
        libc::MADV_COLD,
    ];
    REMOVE.iter().any(|known| *known as u64 == advice)
}

/// Makes a system call that the filter allows. Returns the kernel's value: a negative
/// error number on failure.
fn make(call: c_long, [a, b, c, d, e, f]: [u64; 6]) -> i64 {
    let (d, f) = match call {
        MMAP => (d | OUR_MAPPING, f),
        _ => (d, OURS),
    };
    // An argument is as wide as a register.
    let [a, b, c, d, e, f] = [a, b, c, d, e, f].map(|argument| argument as usize);
    // SAFETY: the call that the candidate was about to make, or a `brk` that changes
    // nothing.
    let result = unsafe { libc::syscall(call, a, b, c, d, e, f) } as i64;
    if result == -1 {
        // SAFETY: this thread's own variable.
        return -i64::from(unsafe { *libc::__errno_location() });
    }
    result
}

/// The registers of the thread that was about to make a system call.
struct Registers<'a>(&'a mut ucontext_t);

#[cfg(target_arch = "x86_64")]
const RESULT: c_int = libc::REG_RAX;
#[cfg(target_arch = "x86_64")]
const ARGUMENTS: [c_int; 6] = [
    libc::REG_RDI,
    libc::REG_RSI,
    libc::REG_RDX,
    libc::REG_R10,
    libc::REG_R8,
    libc::REG_R9,
];
#[cfg(target_arch = "x86")]
const RESULT: c_int = libc::REG_EAX;
#[cfg(target_arch = "x86")]
const ARGUMENTS: [c_int; 6] = [
    libc::REG_EBX,
    libc::REG_ECX,
    libc::REG_EDX,
    libc::REG_ESI,
    libc::REG_EDI,
    libc::REG_EBP,
];

#[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
impl Registers<'_> {
    fn call(&self) -> (c_long, [u64; 6]) {
        let registers = &self.0.uc_mcontext.gregs;
        // A register of 32 bits holds an unsigned number.
        let register = |index: c_int| registers[index as usize] as usize as u64;
        (
            registers[RESULT as usize] as c_long,
            ARGUMENTS.map(register),
        )
    }

    fn set_result(self, result: i64) {
        self.0.uc_mcontext.gregs[RESULT as usize] = result as _;
    }
}

#[cfg(target_arch = "aarch64")]
impl Registers<'_> {
    fn call(&self) -> (c_long, [u64; 6]) {
        let registers = &self.0.uc_mcontext.regs;
        (
            registers[8] as c_long,
            [0, 1, 2, 3, 4, 5].map(|index| registers[index]),
        )
    }

    fn set_result(self, result: i64) {
        self.0.uc_mcontext.regs[0] = result as u64;
    }
}
