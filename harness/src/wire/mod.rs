//! What parent and probe send each other. Both sides import this folder; it imports
//! neither.

pub mod calibration;
pub mod channel;
pub mod coverage;
pub mod fence;
pub mod job;
pub mod observation;
mod os_name;
pub mod script;
pub mod step;
pub mod stop;
