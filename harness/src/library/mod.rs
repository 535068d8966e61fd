//! What is known of a library before it is loaded, from its file and its profile.

pub mod errno_names;
pub mod identity;
pub mod inspect;
pub mod profile;
pub mod routines;
mod version_resource;
