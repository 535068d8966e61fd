//! Names the folder of the sources to the build script of heapmin-conformance, which computes the
//! fingerprint of a build from them.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let here = std::env::var("CARGO_MANIFEST_DIR").expect("Cargo sets it");
    println!("cargo::metadata=folder={here}");
}
