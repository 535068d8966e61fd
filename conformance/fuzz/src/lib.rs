//! What the fuzz targets share: candidates to judge, and observations drafted
//! from a fuzzer's bytes.

pub mod candidate;
pub mod draft;
pub mod words;
