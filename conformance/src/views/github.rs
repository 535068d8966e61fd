//! Annotations for GitHub: workflow commands, at the line of the file of expected results where
//! one is to be changed. GitHub shows ten errors of a step, so there are at most nine and one
//! that counts the others.

use crate::record::{CauseKind, Complaint, Kind, Run, causes};
use std::fmt::Write;

/// The most annotations, without the one that counts the others.
const MOST: usize = 9;

/// An annotation.
struct Annotation {
    place: Option<(String, usize)>,
    title: String,
    message: String,
}

/// The annotations of a run, each on a line.
pub(super) fn report(run: &Run) -> String {
    let annotations = annotations(run);
    let mut text = String::new();
    for annotation in annotations.iter().take(MOST) {
        writeln!(text, "{}", command(annotation)).expect("writing to a string");
    }
    if let Some(more @ 1..) = annotations.len().checked_sub(MOST) {
        let more = Annotation {
            place: None,
            title: "heapmin".into(),
            message: format!("{more} more; the report has all of them"),
        };
        writeln!(text, "{}", command(&more)).expect("writing to a string");
    }
    text
}

fn annotations(run: &Run) -> Vec<Annotation> {
    let mut all = Vec::new();
    for library in &run.candidates {
        for cause in causes(library, |it| !it.known) {
            let first = cause.first();
            let clauses = cause.clauses().len();
            let more = match (clauses, &cause.kind) {
                (1, _) | (_, CauseKind::Clause(_)) => String::new(),
                (clauses, _) => format!(" (and {} more clauses)", clauses - 1),
            };
            all.push(Annotation {
                place: place_of(run, &first.clause),
                title: format!(
                    "{}: {} {}{more}",
                    library.name,
                    first.clause,
                    first.verdict.name()
                ),
                message: format!("{}; expected: {}", first.observed, first.expected),
            });
        }
    }
    let own = run
        .complaints
        .iter()
        .filter(|it| !it.kind.is_in_the_results());
    all.extend(own.map(|complaint| Annotation {
        place: place(complaint),
        title: complaint.clause.clone().unwrap_or_else(|| "heapmin".into()),
        message: complaint.message.clone(),
    }));
    if run.interrupted {
        all.push(Annotation {
            place: None,
            title: "heapmin".into(),
            message: "the run was interrupted, so results are missing".into(),
        });
    }
    all.extend(run.refused.iter().map(|refused| Annotation {
        place: None,
        title: format!("{} was not checked", refused.name),
        message: format!("{}: {}", refused.reason, refused.mend),
    }));
    all
}

/// The place of the new entry for a clause.
fn place_of(run: &Run, clause: &str) -> Option<(String, usize)> {
    let mut new = run.complaints.iter().filter(|it| it.kind == Kind::New);
    new.find(|it| it.clause.as_deref() == Some(clause))
        .and_then(place)
}

fn place(complaint: &Complaint) -> Option<(String, usize)> {
    let entry = complaint.entry.as_ref()?;
    Some((entry.file.clone(), entry.line))
}

fn command(annotation: &Annotation) -> String {
    let title = property(&annotation.title);
    let place = match &annotation.place {
        Some((file, line)) => format!("file={},line={line},", property(file)),
        None => String::new(),
    };
    format!(
        "::error {place}title={title}::{}",
        data(&annotation.message)
    )
}

/// The text of a command. A line end would end it, and the next line could be a command.
fn data(text: &str) -> String {
    (text.replace('%', "%25"))
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The value of a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::plain("a", "::error title=a::a")]
    #[case::percent("5%", "::error title=5%25::5%25")]
    #[case::lines(
        "a\r\n::warning::b",
        "::error title=a%0D%0A%3A%3Awarning%3A%3Ab::a%0D%0A::warning::b"
    )]
    #[case::property("a,b: c", "::error title=a%2Cb%3A c::a,b: c")]
    fn words_of_a_library_cannot_begin_a_command(#[case] text: &str, #[case] wanted: &str) {
        let annotation = Annotation {
            place: None,
            title: text.into(),
            message: text.into(),
        };
        assert_eq!(command(&annotation), wanted);
    }

    #[test]
    fn an_interrupted_run_is_not_silent() {
        let mut run = crate::forged::record(&[], Default::default());
        assert_eq!(report(&run), "");
        run.interrupted = true;
        assert!(report(&run).contains("::the run was interrupted"));
    }

    #[test]
    fn an_annotation_is_at_the_line_of_the_file() {
        let annotation = Annotation {
            place: Some(("a,b.toml".into(), 7)),
            title: "t".into(),
            message: "m".into(),
        };
        assert_eq!(
            command(&annotation),
            "::error file=a%2Cb.toml,line=7,title=t::m"
        );
    }
}
