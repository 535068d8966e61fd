//! Text from the user, and text for the user.

pub mod input_error;
pub mod needed_version;
pub mod printable;
pub mod suggest;
pub mod text_file;
pub mod toml_file;
pub mod version;
