//! What the fuzz targets share: candidates to judge, and observations that are
//! drafted from a fuzzer's bytes, or forged after recorded ones.

pub mod candidate;
pub mod draft;
pub mod forgery;
pub mod mutate;
pub mod words;
