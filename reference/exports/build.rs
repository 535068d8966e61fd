//! On Linux, lets the loader initialise the library before all others. A library that
//! registers fork handlers, or starts threads, when it is loaded then finds those of the heap
//! registered: otherwise a fork can take the heap's locks first and wait for a lock of that
//! library, whose holder waits for the heap.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,initfirst");
    }
}
