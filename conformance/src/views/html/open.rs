//! What was not judged, by cause.

use super::Page;
use super::text::{counted, shown};
use crate::clause::Reason;
use crate::record::{Group, counted as counted_clauses, groups, lacking};
use maud::{Markup, html};

/// The section.
pub(super) fn section(page: &Page) -> Markup {
    html! {
        section #not-judged aria-labelledby="not-judged-heading" {
            h2 #not-judged-heading { "Not judged" }
            p {
                "Not judged: the clause applies, and something kept the suite from judging it. "
                "Not applicable: there is nothing to keep."
            }
            @for (_, library, title, _) in page.libraries() {
                @let all = counted_clauses(page.run, library);
                @let lacking = lacking(&all).into_iter();
                @let not_judged: Vec<_> = groups(&all, Reason::NotJudged).into_iter().chain(lacking).collect();
                @let not_applicable = groups(&all, Reason::NotApplicable);
                h3 { (shown(title)) }
                @if not_judged.is_empty() && not_applicable.is_empty() {
                    p { "Every clause was judged." }
                } @else {
                    dl.causes {
                        @for group in &not_judged { (cause("– not judged", group)) }
                        @for group in &not_applicable { (cause("∅ not applicable", group)) }
                    }
                }
            }
        }
    }
}

fn cause(word: &str, group: &Group) -> Markup {
    let clauses = html! {
        @for (index, clause) in group.clauses.iter().enumerate() {
            @if index > 0 { ", " }
            code { (shown(clause)) }
        }
    };
    html! {
        div {
            dt { (word) }
            dd {
                (shown(&group.cause))
                @if group.clauses.len() <= 3 {
                    ": " (clauses)
                } @else {
                    details {
                        summary { (counted(group.clauses.len(), "clause", "clauses")) }
                        p { (clauses) }
                    }
                }
            }
        }
    }
}
