//! One case of a library under a debugger or another tool: which case, the place at which it
//! stops, and the command that starts it.

#[cfg(target_os = "linux")]
pub mod core_file;
pub mod guide;
pub mod place;
pub mod session;
pub mod subject;
pub mod tool;
