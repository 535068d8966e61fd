//! The heap is in C, in `docs/examples/c`. Cargo wants a Rust library in each package.
