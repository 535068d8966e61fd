//! The tables of clauses and of known deviations in the book match the program.
//! With UPDATE_BOOK=1 they are rewritten.

use heapmin_conformance::clause::{Basis, Clause, Limit, Source};
use heapmin_conformance::clauses;
use heapmin_conformance::expected::known::Known;
use heapmin_conformance::expected::profiles::{known_deviations, wine_itself};
use heapmin_conformance::shipped::catalogue;
use heapmin_harness::library::inspect::Maker;
use std::fmt::Write;
use std::path::{Path, PathBuf};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/clauses");
const END: &str = "<!-- end of the clauses -->";

/// The family of a clause: the first part of its id. Pages name families.
fn family(clause: &Clause) -> &'static str {
    clause.id.split_once('.').expect("an id has two parts").0
}

fn marker(family: &str) -> String {
    format!("<!-- clauses of {family}: written by a test, see testing.md -->")
}

#[test]
fn the_tables_of_each_family_in_the_book_are_up_to_date() {
    let profiles = catalogue().expect("our own profiles are right").profiles;
    let mut profiles: Vec<(String, Vec<Known>)> = profiles
        .iter()
        .map(|it| {
            (
                it.name.clone(),
                known_deviations(it).expect("they are right"),
            )
        })
        .collect();
    let of_system = wine_itself().expect("they are right");
    profiles.push(("Wine's own heap".into(), of_system));
    let mut families: Vec<&str> = clauses::all().map(family).collect();
    families.dedup();
    let mut pages: Vec<(PathBuf, String)> = std::fs::read_dir(FOLDER)
        .expect("the book is part of the repository")
        .map(|entry| entry.expect("a readable folder").path())
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a page");
            (path, text)
        })
        .collect();
    for family in families {
        let marker = marker(family);
        let page = pages.iter_mut().find(|(_, text)| text.contains(&marker));
        let Some((path, text)) = page else {
            panic!("no page of docs/clauses has a line {marker}");
        };
        let (before, rest) = text.split_once(&marker).expect("the page has the marker");
        let (found, after) = rest.split_once(END).expect("the tables have an end");
        let wanted = tables(family, &profiles);
        if found == wanted {
            continue;
        }
        assert!(
            std::env::var_os("UPDATE_BOOK").is_some(),
            "{} is not up to date: run UPDATE_BOOK=1 cargo test -p heapmin-conformance --test book",
            Path::new(path).display()
        );
        *text = format!("{before}{marker}{wanted}{END}{after}");
        std::fs::write(path, text).expect("the book can be written");
    }
}

fn tables(family: &str, profiles: &[(String, Vec<Known>)]) -> String {
    let mut text = String::from(
        "\n\n| clause | level | what must hold | source | basis |\n| --- | --- | --- | --- | --- |\n",
    );
    let of_family = || clauses::all().filter(|clause| self::family(clause) == family);
    for clause in of_family() {
        writeln!(
            text,
            "| `{}` | {} | {} | {} | {} |",
            clause.id,
            clause.level,
            clause.promise,
            links(&clause.source),
            clause.source.basis
        )
        .expect("writing to a string");
    }
    let deviations = deviations(
        &of_family().map(|clause| clause.id).collect::<Vec<_>>(),
        profiles,
    );
    if deviations.is_empty() {
        text += "\nNo library checked so far is known to deviate.\n\n";
        return text;
    }
    text += "\n| known to deviate | in | verdict | because |\n| --- | --- | --- | --- |\n";
    for deviation in deviations {
        let clauses: Vec<_> = deviation
            .clauses
            .iter()
            .map(|id| format!("`{}`", id.split_once('.').expect("an id has two parts").1))
            .collect();
        writeln!(
            text,
            "| {}{} | {} | {} | {} |",
            libraries(&deviation.libraries),
            deviation.known.versions,
            clauses.join(", "),
            deviation.known.verdicts.join(" or "),
            deviation.known.entry().reason()
        )
        .expect("writing to a string");
    }
    text + "\n"
}

/// Links to the sections that state a promise.
fn links(source: &Source) -> String {
    let places = source.places().into_iter();
    let links = places.map(|it| format!("[{}, {}]({})", it.page, it.section, it.address));
    links.collect::<Vec<_>>().join("; ")
}

struct Deviation<'a> {
    known: &'a Known,
    clauses: Vec<&'a str>,
    libraries: Vec<(Option<Maker>, &'a str)>,
}

/// The deviations from these clauses, grouped by reason, verdict and version.
fn deviations<'a>(ids: &[&str], profiles: &'a [(String, Vec<Known>)]) -> Vec<Deviation<'a>> {
    let mut deviations: Vec<Deviation> = Vec::new();
    for (name, known) in profiles {
        for known in known
            .iter()
            .filter(|known| ids.contains(&known.clause.as_str()))
        {
            let same = deviations.iter_mut().find(|deviation| {
                let found = deviation.known;
                (found.entry().reason(), &found.verdicts, &found.versions)
                    == (known.entry().reason(), &known.verdicts, &known.versions)
            });
            let library = (known.maker, name.as_str());
            match same {
                None => deviations.push(Deviation {
                    known,
                    clauses: vec![&known.clause],
                    libraries: vec![library],
                }),
                Some(same) => {
                    if !same.clauses.contains(&known.clause.as_str()) {
                        same.clauses.push(&known.clause);
                    }
                    if !same.libraries.contains(&library) {
                        same.libraries.push(library);
                    }
                }
            }
        }
    }
    deviations
}

fn libraries(libraries: &[(Option<Maker>, &str)]) -> String {
    let of = |maker| -> Vec<&str> {
        let names = libraries.iter().filter(|library| library.0 == maker);
        names.map(|library| library.1).collect()
    };
    let mut parts = Vec::new();
    for (maker, whose) in [
        (Some(Maker::Wine), "Wine's "),
        (Some(Maker::Microsoft), "Microsoft's "),
        (None, ""),
    ] {
        let names = of(maker);
        if !names.is_empty() {
            parts.push(format!("{whose}{}", names.join(", ")));
        }
    }
    parts.join("; ")
}

const LIMITS_START: &str = "<!-- limits: written by a test, see testing.md -->";
const LIMITS_END: &str = "<!-- end of the limits -->";

#[test]
fn each_limit_is_in_the_book_with_its_reason_and_clauses() {
    let path = Path::new(FOLDER).join("limits.md");
    let text = std::fs::read_to_string(&path).expect("the book is part of the repository");
    let (before, rest) = text.split_once(LIMITS_START).expect("the start is marked");
    let (found, after) = rest.split_once(LIMITS_END).expect("the end is marked");
    let wanted = limits();
    if found == wanted {
        return;
    }
    assert!(
        std::env::var_os("UPDATE_BOOK").is_some(),
        "{} is not up to date: UPDATE_BOOK=1 cargo test -p heapmin-conformance --test book writes it anew",
        path.display()
    );
    let text = format!("{before}{LIMITS_START}{wanted}{LIMITS_END}{after}");
    std::fs::write(path, text).expect("the book can be written");
}

fn limits() -> String {
    let mut limits: Vec<(&Limit, Vec<&str>)> = Vec::new();
    for clause in clauses::all() {
        let Basis::Limit(limit) = clause.source.basis else {
            continue;
        };
        match limits
            .iter_mut()
            .find(|(known, _)| std::ptr::eq(*known, limit))
        {
            Some((_, ids)) => ids.push(clause.id),
            None => limits.push((limit, vec![clause.id])),
        }
    }
    let mut text = String::from("\n\n| limit | reason | clauses |\n| --- | --- | --- |\n");
    for (limit, ids) in limits {
        let ids: Vec<_> = ids.iter().map(|id| format!("`{id}`")).collect();
        let ids = ids.join(", ");
        writeln!(text, "| {} | {} | {ids} |", limit.bound, limit.reason)
            .expect("writing to a string");
    }
    text + "\n"
}
