//! A number that each thread has, at first 0: a variable whose address the loader gives by a
//! *TLS descriptor*. For a library that is loaded with the program, this takes two
//! instructions. The call for a `thread_local!` in a shared library takes a quarter of a
//! `malloc`.

use core::arch::{asm, global_asm};

/// The symbol of the variable. The narrow variant may be in the same program.
#[cfg(not(narrow_spans))]
macro_rules! symbol {
    () => {
        "heapmin_shard_of_thread"
    };
}
#[cfg(narrow_spans)]
macro_rules! symbol {
    () => {
        "heapmin_narrow_shard_of_thread"
    };
}

global_asm!(
    concat!(".globl ", symbol!()),
    concat!(".hidden ", symbol!()),
    concat!(".type ", symbol!(), ", @object"),
    concat!(".size ", symbol!(), ", 8"),
    ".pushsection .tbss, \"awT\", @nobits",
    ".balign 8",
    concat!(symbol!(), ": .zero 8"),
    ".popsection",
);

/// The address of this thread's variable.
#[inline(always)]
fn place() -> *mut usize {
    let place;
    // SAFETY: the call keeps all registers but `rax`; some versions of glibc do not keep
    // those for vectors.
    unsafe {
        asm!(
            concat!("leaq ", symbol!(), "@tlsdesc(%rip), %rax"),
            concat!("call *", symbol!(), "@tlscall(%rax)"),
            "addq %fs:0, %rax",
            out("rax") place,
            out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _,
            out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _,
            out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
            out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
            options(att_syntax, pure, nomem),
        )
    };
    place
}

#[inline(always)]
pub(crate) fn number() -> usize {
    // SAFETY: a variable of this thread.
    unsafe { place().read() }
}

pub(crate) fn set_number(number: usize) {
    // SAFETY: as above.
    unsafe { place().write(number) };
}
