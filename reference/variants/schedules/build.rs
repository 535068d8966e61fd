//! Sets the cfg that puts the heap's threads under the scheduler of the tests.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cfg=schedules");
}
