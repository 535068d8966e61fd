//! The book agrees with the program: its tables, its commands and their output, its links, and
//! its list of pages.

#[cfg(target_os = "linux")]
mod commands;
#[cfg(target_os = "linux")]
mod compare;
mod links;
mod pages;
mod tables;
