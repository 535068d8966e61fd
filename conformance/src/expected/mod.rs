//! The file given with `--expected`: it lists known deviations, and clauses that
//! must be judged. A run is compared with it.
//!
//! [`known`] parses the file. [`names`] checks that its entries name clauses and
//! cases that exist. [`status`] says whether the deviation of an entry occurs in
//! a run. [`gate`] lists what is not as expected. [`update`] changes the file to
//! match the run.

mod addition;
mod contents;
mod edit;
mod fixed;
pub mod gate;
pub mod known;
pub mod listed;
pub mod names;
pub mod place;
pub mod profiles;
pub mod status;
pub mod target;
pub mod update;
mod values;
pub mod versions;

use crate::run::Checked;
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::suggest::path_or;
use heapmin_harness::text::text_file;
use known::{Expected, Known};
use std::path::Path;
use target::Target;

/// A file given with `--expected`.
#[derive(Debug)]
pub struct File {
    /// The path as the user gave it, for messages.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Its entries.
    pub expected: Expected,
    /// The file to write, with `--update`.
    target: Option<Target>,
}

impl File {
    /// Reads the file. With `is_updated`, the file may be missing, but it must be
    /// writable.
    ///
    /// # Errors
    /// If the file cannot be read or written, or an entry is wrong.
    pub fn open(path: &Path, is_updated: bool) -> Result<File, InputError> {
        let target = is_updated.then(|| Target::open(path)).transpose()?;
        let name = path.display().to_string();
        let text = match &target {
            Some(target) if !target.exists() => String::new(),
            _ => text_file::read(path).map_err(|error| {
                let problem = format!("{name} cannot be read: {error}");
                let mend = path_or(path, "check the path, or add --update to create the file");
                InputError::new(problem, mend)
            })?,
        };
        let expected = Expected::parse(&name, &text)?;
        names::check(&expected)?;
        Ok(File {
            name,
            text,
            expected,
            target,
        })
    }

    /// The known deviations that the file lists.
    pub fn known(&self) -> &[Known] {
        &self.expected.known
    }

    /// Changes the file to match a run, and marks in `checked` the deviations that
    /// it now lists. Returns a line that says what changed, or `None` without
    /// `--update`.
    ///
    /// # Errors
    /// If the file cannot be changed or written. It is then unchanged.
    pub fn update(&mut self, checked: &mut [Checked]) -> Result<Option<String>, InputError> {
        let Some(target) = &self.target else {
            return Ok(None);
        };
        let (text, changes) = update::update(self, checked, &today())?;
        let is_new = !target.exists();
        if is_new || text != self.text {
            target.write(&text)?;
        }
        self.expected = Expected::parse(&self.name, &text)?;
        self.text = text;
        status::mark(checked, &self.expected.known);
        let created = if is_new { "created; " } else { "" };
        Ok(Some(format!("{}: {created}{changes}", self.name)))
    }

    /// Whether new entries must name their candidate: if the run has several
    /// candidates, or if an entry of the file names one.
    fn names_candidates(&self, checked: &[Checked]) -> bool {
        let Expected { known, judged } = &self.expected;
        checked.len() > 1
            || known.iter().any(|entry| entry.candidate.is_some())
            || judged.iter().any(|entry| entry.candidate.is_some())
    }

    /// The offset at which the last known deviation ends, if the file has one.
    fn end_of_last_known(&self) -> Option<usize> {
        let known = self.expected.known.iter();
        known.map(|entry| entry.place.entry.end).max()
    }

    /// The number of the line at which a new entry belongs.
    fn line_for_new_entry(&self) -> usize {
        match self.end_of_last_known() {
            Some(end) => 2 + self.text[..end].matches('\n').count(),
            None => 1 + self.text.lines().count(),
        }
    }
}

/// This day in UTC, `2026-11-26`.
fn today() -> String {
    let now = humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string();
    now[..10].to_owned()
}
