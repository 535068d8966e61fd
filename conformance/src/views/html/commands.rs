//! The commands that show a deviation again.

use super::text::shown;
use crate::record::{Library, Outcome, Run};
use maud::{Markup, html};

/// The options of `heapmin check` that change what a library does or how it is judged, and
/// whether each has a value.
const OPTIONS: [(&str, bool); 12] = [
    ("--profile", true),
    ("--heap", true),
    ("--library-path", true),
    ("--env", true),
    ("--fault", true),
    ("--runner", true),
    ("--wine", true),
    ("--windows-probe", true),
    ("--memory", true),
    ("--timeout", true),
    ("--preload", false),
    ("--no-fence", false),
];

/// The commands for a deviation.
pub(super) fn commands(run: &Run, library: &Library, outcome: &Outcome) -> Markup {
    let (clause, name) = (word(&outcome.clause), word(&library.name));
    let options: String = options(run, library)
        .iter()
        .map(|it| word(it) + " ")
        .collect();
    let commands = [
        (
            "check it again",
            format!("heapmin check --only {clause} {options}{name}"),
        ),
        (
            "write it as a C file",
            format!("heapmin repro {clause} {name}"),
        ),
        (
            "stop in a debugger",
            format!("heapmin debug {clause} {name}"),
        ),
    ];
    html! {
        dl.commands {
            @for (what, command) in commands {
                div { dt { (what) } dd { code.command { (shown(&command)) } } }
            }
        }
    }
}

/// The options of the run that a command for this library needs as well.
fn options<'a>(run: &'a Run, library: &Library) -> Vec<&'a str> {
    let arguments = &run.options.arguments;
    // Of several runs as one, the record has the options of the first.
    if !arguments.contains(&library.name) {
        return Vec::new();
    }
    let mut options = Vec::new();
    let mut arguments = arguments.iter().take_while(|it| *it != "--");
    while let Some(argument) = arguments.next() {
        let name = argument.split('=').next().unwrap_or_default();
        let Some((_, has_value)) = OPTIONS.iter().find(|(option, _)| *option == name) else {
            continue;
        };
        options.push(argument.as_str());
        if *has_value && name == argument {
            options.extend(arguments.next().map(String::as_str));
        }
    }
    options
}

/// The text as a word of a shell.
fn word(text: &str) -> String {
    // No argument of a command can have a NUL, so such a text is no library's name.
    let quoted = shlex::try_quote(text).map(|it| it.into_owned());
    quoted.unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clause::Judgement;
    use crate::expected::gate::Findings;
    use crate::forged;

    /// The text of the commands for a deviation of a library with this name.
    fn text(name: &str, arguments: &[&str]) -> String {
        let outcome = forged::outcome("heapmin.idempotent", 0, Judgement::fail("grew"));
        let checked = forged::checked(vec![outcome]);
        let mut run = forged::record(&[checked], Findings::default());
        run.candidates[0].name = name.into();
        run.options.arguments = arguments.iter().map(|it| (*it).to_owned()).collect();
        let library = &run.candidates[0];
        commands(&run, library, &library.results[0]).into_string()
    }

    #[test]
    fn there_are_three_commands() {
        let text = text("c", &[]);
        for command in [
            "heapmin check --only heapmin.idempotent c<",
            "heapmin repro heapmin.idempotent c<",
            "heapmin debug heapmin.idempotent c<",
        ] {
            assert!(text.contains(command), "{text}");
        }
    }

    #[test]
    fn a_name_is_a_word_of_the_shell() {
        let text = text("a b; rm -rf $HOME", &[]);
        assert!(
            text.contains("heapmin.idempotent 'a b; rm -rf $HOME'<"),
            "{text}"
        );
    }

    #[test]
    fn a_command_has_the_options_that_change_the_result() {
        let arguments = "check c --env A --heap=/h.so --jobs 4 --preload --only x --no-fence";
        let arguments: Vec<_> = arguments.split(' ').collect();
        let text_of = text("c", &arguments);
        let wanted = "--only heapmin.idempotent --env A '--heap=/h.so' --preload --no-fence c<";
        assert!(text_of.contains(wanted), "{text_of}");
        assert!(!text("d", &arguments).contains("--heap"));
    }
}
