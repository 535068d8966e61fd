//! `heapmin site`: a static site of saved runs.

use super::messages::note;
use super::{AS_EXPECTED, DEVIATION};
use crate::record::{self, redact};
use crate::views::site::{CLAUSES, INDEX, Index, LIBRARIES, Site, shorten, site as make};
use clap::{Args, ValueHint};
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::printable::{on_one_line, shown};
use heapmin_harness::text::suggest::path_or;
use std::io::ErrorKind;
use std::path::Path;
use std::path::PathBuf;
use std::{fs, io};

const AFTER: &str = "\
Exit status:
  0  the site is written
  1  a library of the previous site is missing; the site is written all the same

Examples:
  heapmin site run-*.json --output site
  heapmin site run.json --previous site --output new-site";

#[derive(Args)]
#[command(after_long_help = AFTER)]
pub(super) struct SiteArgs {
    /// Saved runs: files that `heapmin check --format json` wrote
    #[arg(required = true, value_name = "RUN", value_hint = ValueHint::FilePath)]
    runs: Vec<PathBuf>,
    /// Folder of the site
    ///
    /// It must not exist, be empty, or have a site that heapmin made.
    #[arg(
        long,
        value_name = "FOLDER",
        default_value = "site",
        value_hint = ValueHint::DirPath,
        help_heading = SITE
    )]
    output: PathBuf,
    /// The site before this one, or its runs.json
    ///
    /// It is an error if no new run has a library of it.
    #[arg(
        long,
        value_name = "FOLDER-OR-FILE",
        value_hint = ValueHint::AnyPath,
        help_heading = SITE
    )]
    previous: Option<PathBuf>,
    /// A library of the site before this one that is no longer checked
    ///
    /// Can be given several times.
    #[arg(
        long,
        value_name = "NAME",
        requires = "previous",
        value_hint = ValueHint::Other,
        help_heading = SITE
    )]
    removed: Vec<String>,
    /// Write the name of each file without its folder, to publish the site
    #[arg(long, help_heading = SITE)]
    redact_paths: bool,
}

const SITE: &str = "The site";

/// The file by which a folder is known to be a site of ours.
const MARKER: &str = "heapmin-site.txt";
const MARKER_TEXT: &str = "`heapmin site` made this folder, and replaces its pages.\n";

/// The status is 1 if a library is missing.
pub(super) fn site(args: &SiteArgs) -> Result<u8, InputError> {
    let folder = Folder::open(&args.output)?;
    let mut runs = Vec::new();
    for path in &args.runs {
        let mut run = record::read(path)?;
        shorten(&mut run);
        runs.push(if args.redact_paths { redact(&run) } else { run });
    }
    let former = args.previous.as_deref().map(former).transpose()?;
    let site = make(runs, former.as_ref(), &args.removed)?;
    folder.write(&site)?;
    Ok(report(&site))
}

/// Says what is missing, and returns the exit status.
fn report(site: &Site) -> u8 {
    let mut status = AS_EXPECTED;
    for library in site.index.missing() {
        let title = on_one_line(&library.title());
        let red = anstyle::AnsiColor::Red.on_default().bold();
        note(&format!(
            "{red}error:{red:#} {title} is missing: the site before this one had it, and no new run \
             has it; check it again, or say `--removed '{title}'`"
        ));
        status = DEVIATION;
    }
    status
}

/// The index of the site in this folder or file.
fn former(path: &Path) -> Result<Index, InputError> {
    let file = match path.is_dir() {
        true => path.join(INDEX),
        false => path.to_owned(),
    };
    let name = shown(file.as_os_str());
    let text = fs::read_to_string(&file).map_err(|error| {
        InputError::new(
            format!("{name} cannot be read: {error}"),
            path_or(
                path,
                "name a site that `heapmin site` made, or its runs.json",
            ),
        )
    })?;
    Index::parse(&name, &text)
}

/// The folder of the site.
struct Folder<'a>(&'a Path);

impl Folder<'_> {
    /// Refuses a folder with anything in it, unless it is a site.
    fn open(path: &Path) -> Result<Folder<'_>, InputError> {
        let name = shown(path.as_os_str());
        let mut entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Folder(path)),
            Err(error) => {
                return Err(InputError::new(
                    format!("--output {name} cannot be read: {error}"),
                    "name a folder",
                ));
            }
        };
        match entries.next().is_none() || path.join(MARKER).is_file() {
            true => Ok(Folder(path)),
            false => Err(InputError::new(
                format!("--output {name} is not empty, and no site of heapmin"),
                "name another folder",
            )),
        }
    }

    /// Replaces the pages. Other files in the folder stay.
    fn write(&self, site: &Site) -> Result<(), InputError> {
        self.replace(site).map_err(|error| {
            InputError::new(
                format!("{} cannot be written: {error}", shown(self.0.as_os_str())),
                "check the path and the space left",
            )
        })
    }

    fn replace(&self, site: &Site) -> io::Result<()> {
        fs::create_dir_all(self.0)?;
        fs::write(self.0.join(MARKER), MARKER_TEXT)?;
        for name in [LIBRARIES, CLAUSES] {
            let folder = self.0.join(name);
            match fs::create_dir(&folder) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
                _ => remove_pages(&folder)?,
            }
        }
        for (path, text) in &site.files {
            fs::write(self.0.join(path), text)?;
        }
        Ok(())
    }
}

/// Removes the pages of libraries and clauses that there were before.
fn remove_pages(folder: &Path) -> io::Result<()> {
    // A link would lead to files of others.
    if !fs::symlink_metadata(folder)?.is_dir() {
        let problem = format!("{} is no folder", shown(folder.as_os_str()));
        return Err(io::Error::other(problem));
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|it| it == "html") {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
