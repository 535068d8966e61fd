//! Code that the fuzz targets share: candidates, and observations that are drafted
//! from bytes or forged from recorded ones.

pub mod candidate;
pub mod draft;
pub mod forgery;
pub mod mutate;
pub mod words;
