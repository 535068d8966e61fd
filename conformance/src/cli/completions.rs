//! `heapmin completions`: prints a shell's completions, made from the definitions of the
//! arguments.
//!
//! `clap_complete` knows the values of an argument if the parser allows no others. A library may
//! be a name or any file, and `--only` any pattern. In the copy of the definitions that it gets,
//! such an argument has one value, a marker. In the shell's text, the marker is then replaced by
//! the names, and by files, too, where the shell adds none by itself.

use super::output::Output;
use super::{AS_EXPECTED, PROGRAM, catalogue, definitions};
use crate::bench::benches;
use crate::clauses;
use clap::builder::PossibleValuesParser;
use clap::{Arg, Args, Command, ValueEnum, ValueHint};
use clap_complete::Shell;
use heapmin_fixtures::PROMISES;
use heapmin_harness::library::routines::ROUTINES;
use heapmin_harness::text::input_error::InputError;
use std::collections::BTreeSet;
use std::fmt::Write;

const AFTER: &str = "\
To load them in each new shell:
  bash        mkdir -p ~/.local/share/bash-completion/completions
              heapmin completions bash \\
                >~/.local/share/bash-completion/completions/heapmin
  zsh         heapmin completions zsh >FOLDER/_heapmin
              FOLDER is one of $fpath; run compinit after that.
  fish        mkdir -p ~/.config/fish/completions
              heapmin completions fish >~/.config/fish/completions/heapmin.fish
  powershell  add to $PROFILE:
              heapmin completions powershell | Out-String | Invoke-Expression
  elvish      add to rc.elv:
              eval (heapmin completions elvish | slurp)

Examples:
  heapmin completions bash >heapmin.bash
  heapmin completions fish >heapmin.fish";

#[derive(Args)]
#[command(after_long_help = AFTER)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn completions(args: &CompletionsArgs) -> Result<u8, InputError> {
    Output::Standard.write(&text(args.shell, &Values::all()?))?;
    Ok(AS_EXPECTED)
}

/// Names that an argument can have besides others.
struct Values {
    /// The word in their place in the text of `clap_complete`, and the name of the variable or
    /// function that has them.
    marker: &'static str,
    names: Vec<String>,
    /// Whether the argument can be a file, too.
    or_file: bool,
    /// The command that has the argument, if only one has it, and the argument's id.
    arguments: &'static [(Option<&'static str>, &'static str)],
}

impl Values {
    fn all() -> Result<Vec<Values>, InputError> {
        let shells = Shell::value_variants().iter().map(ToString::to_string);
        let program = definitions();
        let commands = program.get_subcommands().filter(|it| !it.is_hide_set());
        let commands = commands.map(|it| it.get_name().to_owned());
        let libraries = catalogue()?.profiles.into_iter().map(|it| it.name);
        let ids = || clauses::all().map(|it| it.id.to_owned());
        let families: BTreeSet<_> = (clauses::all())
            .flat_map(|it| it.id.split('.').take(1).chain([it.routine]))
            .map(str::to_owned)
            .collect();
        Ok(vec![
            Values {
                marker: "_heapmin_libraries",
                names: libraries.collect(),
                or_file: true,
                arguments: &[
                    (None, "candidates"),
                    (None, "candidate"),
                    (None, "versions"),
                    (None, "old"),
                    (None, "new"),
                    (None, "against"),
                    (None, "heap"),
                    (None, "profile"),
                ],
            },
            Values {
                marker: "_heapmin_clauses",
                names: ids().collect(),
                or_file: false,
                arguments: &[(Some("repro"), "clause"), (Some("bisect"), "clause")],
            },
            Values {
                marker: "_heapmin_families_and_clauses",
                names: families.into_iter().chain(ids()).collect(),
                or_file: false,
                arguments: &[
                    (Some("explain"), "clause"),
                    (Some("debug"), "clause"),
                    (Some("check"), "only"),
                    (Some("check"), "skip"),
                    (Some("init"), "only"),
                    (Some("init"), "skip"),
                ],
            },
            Values {
                marker: "_heapmin_benchmarks",
                names: benches(false).into_iter().map(|it| it.name).collect(),
                or_file: false,
                arguments: &[(Some("bench"), "only")],
            },
            Values {
                marker: "_heapmin_routines",
                names: ROUTINES.iter().map(|it| (*it).to_owned()).collect(),
                or_file: false,
                arguments: &[(Some("fuzz"), "without")],
            },
            Values {
                marker: "_heapmin_shells",
                names: shells.collect(),
                or_file: false,
                arguments: &[(Some("completions"), "shell")],
            },
            Values {
                marker: "_heapmin_pages",
                names: commands.collect(),
                or_file: false,
                arguments: &[(Some("man"), "command")],
            },
            Values {
                marker: "_heapmin_promises",
                names: PROMISES.iter().map(|it| it.0.to_owned()).collect(),
                or_file: false,
                arguments: &[(None, "promises"), (None, "changed_since")],
            },
        ])
    }

    fn has(&self, command: &str, argument: &Arg) -> bool {
        self.arguments
            .iter()
            .any(|(of, id)| argument.get_id() == id && of.is_none_or(|of| of == command))
    }
}

fn text(shell: Shell, values: &[Values]) -> String {
    let mut command = visible(values);
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut command, PROGRAM, &mut bytes);
    let text = String::from_utf8(bytes).expect("completions are UTF-8");
    match shell {
        Shell::Bash => bash(text, values),
        Shell::Zsh => zsh(text, values),
        Shell::Fish => fish(text, values, &command),
        // They complete options and commands, and no values.
        _ => text,
    }
}

/// The definitions without the command that only this program starts, and with a marker in the
/// place of names.
fn visible(values: &[Values]) -> Command {
    let all = definitions();
    let commands = all.get_subcommands().filter(|it| !it.is_hide_set());
    let commands: Vec<_> = commands.map(|it| marked(it, values)).collect();
    Command::new(PROGRAM)
        .version(env!("CARGO_PKG_VERSION"))
        .disable_help_flag(true)
        .args(all.get_arguments())
        .subcommands(commands)
}

fn marked(command: &Command, values: &[Values]) -> Command {
    let name = command.get_name();
    let mark = |argument: Arg| match values.iter().find(|it| it.has(name, &argument)) {
        Some(values) => argument
            .value_parser(PossibleValuesParser::new([values.marker]))
            .value_hint(ValueHint::Unknown),
        None => argument,
    };
    command.clone().mut_args(mark)
}

/// Bash completes files by itself where no name fits.
fn bash(text: String, values: &[Values]) -> String {
    let mut definitions = String::new();
    let mut text = text;
    for Values { marker, names, .. } in values {
        text = text.replace(marker, &format!("${{{marker}}}"));
        let names = names.join(" ");
        writeln!(definitions, "{marker}='{names}'").expect("writing to a string");
    }
    definitions + &text
}

fn zsh(text: String, values: &[Values]) -> String {
    let mut functions = String::new();
    let mut text = text;
    for values in values {
        let Values { marker, names, .. } = values;
        text = text.replace(&format!("({marker})"), marker);
        let names = names.join(" ");
        let files = if values.or_file { "_files; " } else { "" };
        writeln!(functions, "{marker}() {{ {files}compadd -- {names} }}")
            .expect("writing to a string");
    }
    // The first line has the name of the command.
    let (first, rest) = text.split_once('\n').expect("a first line");
    format!("{first}\n\n{functions}{rest}")
}

/// `clap_complete` completes no values of positional arguments in fish.
fn fish(text: String, values: &[Values], command: &Command) -> String {
    let mut text = text;
    for values in values {
        let Values { marker, names, .. } = values;
        let list = format!("-f -a \"{marker}\\t''\"");
        let only = if values.or_file { "-F" } else { "-f" };
        text = text.replace(&list, &format!("{only} -a \"({marker})\""));
        let names = names.join(" ");
        writeln!(
            text,
            "function {marker}\n    string split ' ' '{names}'\nend"
        )
        .expect("writing to a string");
        for command in command.get_subcommands() {
            let name = command.get_name();
            let mut positionals = command.get_positionals().enumerate();
            let Some((place, argument)) = positionals.find(|(_, it)| values.has(name, it)) else {
                continue;
            };
            let number = match argument.get_action() {
                clap::ArgAction::Append => "-gt 1".into(),
                _ => format!("-eq {}", place + 2),
            };
            writeln!(
                text,
                "complete -c {PROGRAM} -n \"__fish_{PROGRAM}_using_subcommand {name}; and test \
                 (count (commandline -opc)) {number}\" {only} -a \"({marker})\""
            )
            .expect("writing to a string");
        }
    }
    text
}
