//! A page: the parts that every page has, and what the browser may load and run.

use super::text::shown;
use crate::record::Run;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// The parts in which pages differ.
pub(in crate::views) struct Document<'a> {
    /// The text of the title.
    pub(in crate::views) title: Markup,
    /// The heading and the links.
    pub(in crate::views) header: Markup,
    /// The sections.
    pub(in crate::views) main: Markup,
    /// The version of the program that made the newest run.
    pub(in crate::views) suite: &'a str,
}

impl Document<'_> {
    /// The whole page. `nonce` is of the records that the page shows.
    pub(in crate::views) fn text(self, nonce: &str) -> String {
        // Even if a text got past the escaping, the browser would load and run nothing.
        let policy = format!(
            "default-src 'none'; base-uri 'none'; form-action 'none'; \
             style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'"
        );
        let markup = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(policy);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="referrer" content="no-referrer";
                    title { (self.title) }
                    style nonce=(nonce) { (PreEscaped(STYLE)) }
                }
                body {
                    a.skip href="#main" { "Skip to the results" }
                    header { (self.header) }
                    main #main tabindex="-1" { (self.main) }
                    footer {
                        p {
                            "Made by heapmin " (shown(self.suite)) ". A verdict says something about "
                            "the clauses that were judged, and nothing about the others."
                        }
                    }
                    script nonce=(nonce) { (PreEscaped(SCRIPT)) }
                }
            }
        };
        markup.into_string()
    }
}

/// The SHA-256 sum of the records. As a nonce, no record can contain it.
pub(in crate::views) fn sum<'a>(runs: impl IntoIterator<Item = &'a Run>) -> String {
    let mut sum = Sha256::new();
    for run in runs {
        sum.update(serde_json::to_vec(run).expect("a record is plain data"));
    }
    let sum = sum.finalize();
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}
