//! Sets what makes this package another heap than the one beside it.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cfg=narrow_spans");
}
