//! `--color`. Without it, `anstream` decides: for each stream, colours on a terminal only, and as
//! `NO_COLOR`, `CLICOLOR` and `CLICOLOR_FORCE` say.

use clap::{ColorChoice, ValueEnum};
use std::ffi::OsString;

/// Applies `--color` to every stream of the program. This happens before the arguments are
/// parsed, because the parser itself writes help and errors in colours. A wrong value changes
/// nothing here; the parser refuses it.
pub(super) fn apply(arguments: impl Iterator<Item = OsString>) {
    let choice = match chosen(arguments) {
        Some(ColorChoice::Always) => anstream::ColorChoice::Always,
        Some(ColorChoice::Never) => anstream::ColorChoice::Never,
        Some(ColorChoice::Auto) | None => return,
    };
    choice.write_global();
}

/// Whether standard error gets colours.
pub(super) fn is_on_stderr() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}

/// The value of the last `--color`. What follows `--` belongs to another program.
fn chosen(arguments: impl Iterator<Item = OsString>) -> Option<ColorChoice> {
    let mut arguments = arguments.take_while(|it| it != "--");
    let mut chosen = None;
    while let Some(argument) = arguments.next() {
        let argument = argument.to_string_lossy();
        let value = match argument.strip_prefix("--color") {
            Some("") => arguments.next().unwrap_or_default(),
            Some(rest) => rest.strip_prefix('=').unwrap_or_default().into(),
            None => continue,
        };
        chosen = ColorChoice::from_str(&value.to_string_lossy(), false).ok();
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::none("check --quiet", None)]
    #[case::two_words("check --color always x.so", Some(ColorChoice::Always))]
    #[case::one_word("--color=never check", Some(ColorChoice::Never))]
    #[case::the_last("--color never --color auto", Some(ColorChoice::Auto))]
    #[case::wrong("--color red", None)]
    #[case::no_value("check --color", None)]
    #[case::of_another_program("bench -- ls --color always", None)]
    fn the_choice_is_found_in_the_arguments(
        #[case] line: &str,
        #[case] wanted: Option<ColorChoice>,
    ) {
        assert_eq!(chosen(line.split(' ').map(OsString::from)), wanted);
    }
}
