//! Expected results as a gate: a file of known deviations, and of clauses that
//! must be judged, against what a run found.
//!
//! [`names`] says whether its entries name what exists, [`standing`] how each
//! of them stands to a run, [`gate`] what is not as expected, and [`update`]
//! brings the file to the run.

mod addition;
mod contents;
mod edit;
pub mod gate;
pub mod known;
pub mod names;
pub mod profiles;
pub mod standing;
pub mod target;
pub mod update;

use crate::run::Checked;
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::text_file;
use known::{Expected, Known};
use std::path::Path;
use target::Target;

/// A file given with `--expected`.
#[derive(Debug)]
pub struct File {
    /// Its name, as the user gave it.
    pub name: String,
    /// Its text.
    pub text: String,
    /// What it says.
    pub expected: Expected,
    /// Where it is written, if it is to be updated.
    target: Option<Target>,
}

impl File {
    /// Reads the file. With `is_updated`, it need not be there yet, but it
    /// must be possible to write it.
    ///
    /// # Errors
    /// If it cannot be read or written, or has a wrong entry.
    pub fn open(path: &Path, is_updated: bool) -> Result<File, InputError> {
        let target = is_updated.then(|| Target::open(path)).transpose()?;
        let name = path.display().to_string();
        let text = match &target {
            Some(target) if !target.is_there() => String::new(),
            _ => text_file::read(path).map_err(|error| {
                let problem = format!("{name} cannot be read: {error}");
                let mend = "check the path, or add --update to have it written";
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

    /// The deviations that it lists.
    pub fn known(&self) -> &[Known] {
        &self.expected.known
    }

    /// Brings it to what a run found, if that was asked for, and has the
    /// deviations that it lists from now on let through. Says what changed.
    ///
    /// # Errors
    /// If it cannot be changed or written; it is as it was then.
    pub fn update(&mut self, checked: &mut [Checked]) -> Result<Option<String>, InputError> {
        let Some(target) = &self.target else {
            return Ok(None);
        };
        let (text, changes) = update::update(self, checked)?;
        let is_new = !target.is_there();
        if is_new || text != self.text {
            target.write(&text)?;
        }
        self.expected = Expected::parse(&self.name, &text)?;
        self.text = text;
        standing::mark(checked, &self.expected.known);
        let created = if is_new { "created; " } else { "" };
        Ok(Some(format!("{}: {created}{changes}", self.name)))
    }

    /// Whether new entries must name their candidate: where there are several,
    /// or where others do.
    fn is_named(&self, checked: &[Checked]) -> bool {
        let Expected { known, judged } = &self.expected;
        checked.len() > 1
            || known.iter().any(|entry| entry.candidate.is_some())
            || judged.iter().any(|entry| entry.candidate.is_some())
    }

    /// Where the last known deviation ends, if there is one.
    fn last_known(&self) -> Option<usize> {
        let ends = self
            .expected
            .known
            .iter()
            .map(|entry| entry.place.entry.end);
        ends.max()
    }

    /// The line in which a new entry begins.
    fn line_to_add(&self) -> usize {
        match self.last_known() {
            Some(end) => 2 + self.text[..end].matches('\n').count(),
            None => 1 + self.text.lines().count(),
        }
    }
}
