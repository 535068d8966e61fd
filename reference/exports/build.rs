//! Names this package's manifest to the build script of heapmin-fixtures, which builds the shared
//! library. On Linux, also gives the library its name, and lets the loader initialise it before all
//! others.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let here = std::env::var("CARGO_MANIFEST_DIR").expect("Cargo sets it");
    println!("cargo::metadata=folder={here}");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        // A program that is linked with the library would otherwise need it under the path that
        // the linker was given.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libheapmin_crt.so");
        // A library that registers fork handlers, or starts threads, when it is loaded then finds
        // those of the heap registered: otherwise a fork can take the heap's locks first and wait
        // for a lock of that library, whose holder waits for the heap.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,initfirst");
    }
}
