//! The reports that a command writes: one to standard output or a file, and more to files.

use super::messages::is_quiet;
use super::options::ReportsArgs;
use super::output::{Output, terminal_width};
use crate::record::{Run, redact};
use crate::views::{Format, Style, view};
use clap::ValueEnum;
use heapmin_harness::library::identity::Identity;
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::printable::shown;
use heapmin_harness::text::suggest::nearest;
use std::path::{Path, PathBuf};

/// The destinations of the reports. They are opened before the run, so that a wrong path does
/// not cost a whole run.
pub(super) struct Reports<'a> {
    args: &'a ReportsArgs,
    first: Output,
    more: Vec<(Format, Output)>,
}

/// Parses `FORMAT=FILE`.
pub(super) fn more(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, file) = text.split_once('=').ok_or("expected FORMAT=FILE")?;
    if file.is_empty() {
        return Err("the name of the file is missing".into());
    }
    let format = Format::from_str(format, false).map_err(|_| {
        let formats = Format::value_variants().iter();
        let names = formats.filter_map(|it| Some(it.to_possible_value()?.get_name().to_owned()));
        let names: Vec<_> = names.collect();
        let near = nearest(format, names.iter().map(String::as_str));
        let near = near.map(|near| format!("did you mean {near}? "));
        let (near, names) = (near.unwrap_or_default(), names.join(", "));
        format!("{format} is no format; {near}the formats are {names}")
    })?;
    Ok((format, file.into()))
}

impl<'a> Reports<'a> {
    /// Opens the files of these reports. `read` are the files that the run reads.
    ///
    /// # Errors
    /// If a file cannot be written, is one that the run reads, or is named twice.
    pub(super) fn create<'b>(
        args: &'a ReportsArgs,
        read: impl Iterator<Item = &'b Path> + Clone,
    ) -> Result<Reports<'a>, InputError> {
        let first = args.output.as_deref().map(|path| ("--output", path));
        let more = args
            .more
            .iter()
            .map(|(_, path)| ("--report", path.as_path()));
        let files: Vec<_> = first.into_iter().chain(more).collect();
        for (index, (option, path)) in files.iter().enumerate() {
            if let Ok(identity) = Identity::of(path)
                && let Some(input) = read.clone().find(|input| identity.is_of(input))
            {
                return Err(InputError::new(
                    format!("{option} would overwrite {}", shown(input.as_os_str())),
                    "name another file for the report",
                ));
            }
            if files[..index].iter().any(|(_, other)| other == path) {
                return Err(InputError::new(
                    format!(
                        "two reports would be written to {}",
                        shown(path.as_os_str())
                    ),
                    "name another file for one of them",
                ));
            }
        }
        let more = args.more.iter();
        let more = more.map(|(format, path)| Ok((*format, Output::create(Some(path))?)));
        Ok(Reports {
            args,
            first: Output::create(args.output.as_deref())?,
            more: more.collect::<Result<_, InputError>>()?,
        })
    }

    /// Whether the report on standard output is the one for people.
    pub(super) fn are_read_here(&self) -> bool {
        self.args.format == Format::Human && self.args.output.is_none()
    }

    /// Writes the reports. If one cannot be written, the others are.
    ///
    /// # Errors
    /// The first that cannot be written.
    pub(super) fn write(self, run: &Run) -> Result<(), InputError> {
        let redacted;
        let run = match self.args.redact_paths {
            true => {
                redacted = redact(run);
                &redacted
            }
            false => run,
        };
        let width = terminal_width().filter(|_| self.args.output.is_none());
        let whole = Style {
            width: None,
            every_clause: self.args.verbose,
            only_unexpected: false,
        };
        let first = Style {
            width,
            only_unexpected: is_quiet() && self.args.output.is_none(),
            ..whole
        };
        let mut result = self.first.write(&view(run, self.args.format, first));
        for (format, output) in self.more {
            let written = output.write(&view(run, format, whole));
            result = result.and(written);
        }
        result
    }
}
