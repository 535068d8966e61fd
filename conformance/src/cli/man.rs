//! `heapmin man`: prints or writes manual pages, made from the definitions of the arguments.

use super::output::Output;
use super::{AS_EXPECTED, PROGRAM, definitions};
use clap::{Args, Command, ValueHint};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::printable::shown;
use heapmin_harness::text::suggest::nearest;
use std::fs;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  heapmin man check | man -l -
  heapmin man --output-dir ~/.local/share/man/man1";

#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct ManArgs {
    /// Command whose page to print [default: the page of heapmin itself]
    #[arg(value_hint = ValueHint::Other, conflicts_with = "output_dir")]
    command: Option<String>,
    /// Write the pages of heapmin and of all commands to this folder
    ///
    /// They are called heapmin.1, heapmin-check.1 and so on. The folder is made if needed.
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath, help_heading = "Reports")]
    output_dir: Option<PathBuf>,
}

pub(super) fn man(args: &ManArgs) -> Result<u8, InputError> {
    let mut program = definitions().disable_help_subcommand(true);
    program.build();
    let commands = program.get_subcommands().filter(|it| !it.is_hide_set());
    let commands: Vec<&Command> = commands.collect();
    match (&args.output_dir, &args.command) {
        (Some(folder), _) => {
            fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
            for command in [&program].into_iter().chain(commands) {
                let file = folder.join(format!("{}.1", title(command)));
                fs::write(&file, page(command)).map_err(|error| cannot_write(&file, &error))?;
            }
        }
        (None, None) => Output::Standard.write(&page(&program))?,
        (None, Some(name)) => {
            let command = commands.iter().find(|it| it.get_name() == name);
            let command = command.ok_or_else(|| unknown(name, &commands))?;
            Output::Standard.write(&page(command))?;
        }
    }
    Ok(AS_EXPECTED)
}

/// `heapmin-check`, or `heapmin` for the program itself.
fn title(command: &Command) -> &str {
    command.get_display_name().unwrap_or(command.get_name())
}

fn page(command: &Command) -> String {
    let man = Man::new(command.clone())
        .title(title(command))
        // An empty date would be left out, and what follows it would move to its place.
        .date(" ")
        .source(format!("{PROGRAM} {}", env!("CARGO_PKG_VERSION")))
        .manual(format!("{PROGRAM} manual"));
    let mut bytes = Vec::new();
    let mut render = || {
        man.render_title(&mut bytes)?;
        man.render_name_section(&mut bytes)?;
        man.render_synopsis_section(&mut bytes)?;
        man.render_description_section(&mut bytes)?;
        man.render_options_section(&mut bytes)?;
        if command.has_subcommands() {
            man.render_subcommands_section(&mut bytes)?;
        }
        after(command).to_writer(&mut bytes)
    };
    render().expect("writing to a vector");
    String::from_utf8(bytes).expect("a page is UTF-8")
}

/// The text after the options. `clap_mangen` would run its lines together. A line that begins at
/// the margin is a heading, and the others are shown as they are.
fn after(command: &Command) -> Roff {
    let mut roff = Roff::new();
    let text = command.get_after_long_help();
    let text = text.map(ToString::to_string).unwrap_or_default();
    for line in text.lines() {
        match line.strip_suffix(':').filter(|it| !it.starts_with(' ')) {
            Some(heading) => {
                roff.control("SH", [heading.to_uppercase().as_str()]);
                roff.control("nf", []);
            }
            None => {
                roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
            }
        }
    }
    roff.control("fi", []);
    roff
}

fn unknown(name: &str, commands: &[&Command]) -> InputError {
    let names: Vec<&str> = commands.iter().map(|it| it.get_name()).collect();
    let mend = match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("the commands are {}", names.join(", ")),
    };
    InputError::new(format!("no command is called {name}"), mend)
}

fn cannot_write(path: &Path, error: &std::io::Error) -> InputError {
    InputError::new(
        format!("{} cannot be written: {error}", shown(path.as_os_str())),
        "check the path and the permissions",
    )
}
