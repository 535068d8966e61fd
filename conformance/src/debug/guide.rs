//! The text before a session: what the library promises and does, where the probe stops,
//! and commands for the debugger.

use super::place::Place;
use super::subject::Subject;
use super::tool::{Debugger, Tool};
use crate::clause::Verdict;
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::text::printable::on_one_line;
use heapmin_harness::wire::stop::StopAt;

/// Width of a line.
const COLUMNS: usize = 80;
/// Width of a command for the debugger.
const COMMAND: usize = 30;

/// The guide to a session. `stops` is false if the probe runs to the end.
pub fn guide(subject: &Subject, candidate: &Candidate, tool: &Tool, stops: bool) -> String {
    let judgement = &subject.judgement;
    // A path has no place at which it may be broken.
    let mut text = format!("  library   {}\n", candidate.name);
    let mut line = |word: &str, sentence: &str| {
        let options = textwrap::Options::new(COLUMNS)
            .subsequent_indent("            ")
            .word_separator(textwrap::WordSeparator::AsciiSpace)
            .word_splitter(textwrap::WordSplitter::NoHyphenation)
            .wrap_algorithm(textwrap::WrapAlgorithm::FirstFit)
            .break_words(false);
        text += &textwrap::fill(&format!("  {word:<10}{sentence}"), options);
        text.push('\n');
    };
    let case = subject.case;
    line("clause", subject.clause.id);
    line("case", &format!("{}: {}", case.name, case.summary));
    line("promises", subject.clause.promise);
    line("expects", &subject.clause.expects());
    let observed = on_one_line(&judgement.observed);
    line(
        "observed",
        &format!("{}: {observed}", judgement.verdict.name()),
    );
    if subject.deviates() {
        line("deviates", &place(subject));
    }
    line(
        "stops",
        match (tool, stops) {
            (Tool::Nothing, true) => "right before that, and leaves a core file",
            (_, false) if has_ended(subject) => "nowhere: the case runs until it ends so",
            (_, false) => "nowhere: the case runs to its end",
            (_, true) => stop(subject),
        },
    );
    if let Tool::Debugger(debugger, _) = tool {
        let mut word = "try";
        for (command, what) in commands(*debugger, subject, candidate, stops) {
            text += &format!("  {word:<10}{command:<COMMAND$} {what}\n");
            word = "";
        }
    }
    text
}

/// Whether the process ended or hung.
fn has_ended(subject: &Subject) -> bool {
    matches!(subject.judgement.verdict, Verdict::Crash | Verdict::Timeout)
}

/// Where the library deviates, in words.
fn place(subject: &Subject) -> String {
    let Some(place) = &subject.place else {
        return "in the case as a whole".into();
    };
    let Place { number, .. } = place;
    let figure = place.figure.as_ref().filter(|_| !has_ended(subject));
    let call = place.call.as_ref().and_then(|call| match place.stop {
        _ if has_ended(subject) => Some(format!("after call {number} of the case, {call}")),
        StopAt::Call(_) => Some(format!("in call {number} of the case, {call}")),
        _ => None,
    });
    let step = place.step.as_ref();
    let step = step.map(|step| format!("in the step \"{step}\""));
    let parts: Vec<String> = step.into_iter().chain(call).collect();
    match (parts.is_empty(), place.stop, figure) {
        (false, _, Some(figure)) => {
            format!("{}, or earlier: then {figure}", parts.join(", "))
        }
        (false, _, None) => parts.join(", "),
        (true, StopAt::Load, _) => "while the library is loaded".into(),
        (true, ..) => "before the first step of the case".into(),
    }
}

/// Where the probe stops, in words.
fn stop(subject: &Subject) -> &'static str {
    match subject.stop() {
        StopAt::Load => "before the library is loaded",
        StopAt::Report(0) => "before the first step of the case",
        StopAt::Report(_) if has_ended(subject) => "after what the case reported last",
        StopAt::Report(_) => "at the beginning of that step",
        StopAt::Call(_) => "right before that call",
    }
}

/// Commands for the debugger, each with its use.
fn commands(
    debugger: Debugger,
    subject: &Subject,
    candidate: &Candidate,
    stops: bool,
) -> Vec<(String, String)> {
    let on = match debugger {
        Debugger::Winedbg => "cont",
        Debugger::Gdb | Debugger::Lldb => "continue",
    };
    let register = match candidate.runner.target.arch.as_str() {
        "x86_64" => Some("$rax"),
        "x86" => Some("$eax"),
        _ => None,
    };
    let mut list: Vec<(String, String)> = Vec::new();
    let mut add = |command: &str, what: &str| list.push((command.into(), what.into()));
    if debugger == Debugger::Winedbg {
        add(on, "start the program, which winedbg has stopped");
    }
    let called = subject.place.as_ref().and_then(|place| place.call.as_ref());
    let called = called.and_then(|call| call.split('(').next());
    match (stops.then(|| subject.stop()), called, register) {
        (Some(StopAt::Call(_)), Some(routine), Some(register)) => {
            let at = match debugger {
                Debugger::Gdb => format!("tbreak *{register}"),
                Debugger::Lldb => format!("breakpoint set -o true -a {register}"),
                Debugger::Winedbg => format!("break *{register}"),
            };
            add(
                &at,
                &format!("then `{on}`: go into the library's {routine}"),
            );
        }
        _ => {
            let routine = subject.clause.routine;
            let at = match debugger {
                Debugger::Gdb | Debugger::Winedbg => format!("break {routine}"),
                Debugger::Lldb => format!("breakpoint set -n {routine}"),
            };
            add(
                &at,
                &format!("then `{on}`: go to the next call of {routine}"),
            );
        }
    }
    add("finish", "run to the end of the routine");
    match subject.judgement.verdict {
        Verdict::Crash => add(on, "run on, until the process dies"),
        Verdict::Timeout => add(on, "run on; Ctrl-C stops the process while it hangs"),
        _ => {}
    }
    add("bt", "show which functions are running");
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clause::Judgement;
    use crate::forged::candidate;
    use crate::select::clause;
    use rstest::rstest;

    fn subject(verdict: Verdict, stop: StopAt, call: Option<&str>) -> Subject {
        let clause = clause("heapmin.success-keeps-errno").unwrap();
        Subject {
            clause,
            case: clause.cases[0],
            judgement: Judgement {
                verdict,
                ..Judgement::fail("errno\nchanged")
            },
            place: Some(Place {
                stop,
                step: Some("a step".into()),
                call: call.map(str::to_owned),
                number: 7,
                figure: Some("\"lost bytes\" is 3".into()),
            }),
        }
    }

    #[rstest]
    #[case::call(
        Verdict::Fail,
        StopAt::Call(9),
        "in the step \"a step\", in call 7 of the case, malloc(8), or earlier: then \"lost bytes\" is 3",
        "right before that call",
        "tbreak *$rax"
    )]
    #[case::step(
        Verdict::Fail,
        StopAt::Report(9),
        "in the step \"a step\", or earlier: then \"lost bytes\" is 3",
        "at the beginning of that step",
        "break _heapmin"
    )]
    #[case::crash(
        Verdict::Crash,
        StopAt::Report(9),
        "in the step \"a step\", after call 7 of the case, malloc(8)",
        "after what the case reported last",
        "until the process dies"
    )]
    #[case::hang(
        Verdict::Timeout,
        StopAt::Report(9),
        "after call 7 of the case, malloc(8)",
        "after what the case reported last",
        "while it hangs"
    )]
    fn the_guide_says_where_it_deviates_and_stops_and_what_to_try(
        #[case] verdict: Verdict,
        #[case] at: StopAt,
        #[case] deviates: &str,
        #[case] stops: &str,
        #[case] to_try: &str,
    ) {
        let mut candidate = candidate();
        candidate.runner.target.arch = "x86_64".into();
        let tool = Tool::Debugger(Debugger::Gdb, "gdb".into());
        let text = guide(
            &subject(verdict, at, Some("malloc(8)")),
            &candidate,
            &tool,
            true,
        );
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for wanted in [deviates, stops, to_try, "errno\\nchanged"] {
            assert!(words.contains(wanted), "{wanted}: {text}");
        }
        let tool = Tool::Command(vec!["strace".into()]);
        let text = guide(&subject(verdict, at, None), &candidate, &tool, false);
        assert!(text.contains("nowhere") && !text.contains("try"), "{text}");
    }
}
