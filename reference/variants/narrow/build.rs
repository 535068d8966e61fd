//! Sets the cfg that makes the spans smaller than those of the reference heap.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cfg=narrow_spans");
}
