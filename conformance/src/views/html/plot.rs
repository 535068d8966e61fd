//! The memory through a case: a plot, and the same figures in a table.

use super::text::{counted, shown};
use crate::figures::amount;
use crate::record::{Case, Moment, Outcome};
use maud::{Markup, html};

/// The greatest number of moments that are shown.
const MOST: usize = 40;
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 220.0;
/// The space of the plot for the labels: left, right, top, bottom.
const LEFT: f64 = 84.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 28.0;

/// The plot with its figures; nothing if the memory was not measured twice.
pub(super) fn memory(outcome: &Outcome, case: &Case) -> Markup {
    let left_out = case.memory.len().saturating_sub(MOST);
    let moments = &case.memory[..case.memory.len() - left_out];
    let (Some(first), Some(last), 2..) = (moments.first(), moments.last(), moments.len()) else {
        return html! {};
    };
    let most = moments.iter().map(|it| it.resident).max().unwrap_or(0);
    let has_lazy = moments.iter().any(|it| it.lazily_freed > 0);
    html! {
        figure {
            figcaption { "Resident memory of the process through the case " code { (shown(&outcome.case)) } }
            div.plot {
                svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img"
                    aria-label={
                        "Resident memory at " (counted(moments.len(), "moment", "moments")) ": "
                        (amount(first.resident)) " at first, " (amount(most)) " at most, "
                        (amount(last.resident)) " at last. The table has the figures."
                    } {
                    (axes(moments.len(), most))
                    @if has_lazy { (line(moments, most, "lazy", |it| it.lazily_freed)) }
                    (line(moments, most, "resident", |it| it.resident))
                }
                div.scroll role="region" tabindex="0"
                    aria-label={ "Memory in " (shown(&outcome.case)) " for " (shown(&outcome.clause)) } {
                    table {
                        caption { "Figures of the plot" }
                        thead {
                            tr {
                                th scope="col" { "no." }
                                th scope="col" { "moment" }
                                th scope="col" { "resident" }
                                @if has_lazy { th scope="col" { "of it freed lazily (dashed)" } }
                            }
                        }
                        tbody {
                            @for (index, moment) in moments.iter().enumerate() {
                                tr {
                                    td { (index + 1) }
                                    th scope="row" { (shown(&moment.moment)) }
                                    td { (amount(moment.resident)) }
                                    @if has_lazy { td { (amount(moment.lazily_freed)) } }
                                }
                            }
                        }
                    }
                }
            }
            @if left_out > 0 {
                p { (counted(left_out, "later moment is", "later moments are")) " left out here." }
            }
        }
    }
}

fn x(index: usize, count: usize) -> f64 {
    let share = index as f64 / (count - 1) as f64;
    LEFT + share * (WIDTH - LEFT - RIGHT)
}

fn y(bytes: u64, most: u64) -> f64 {
    let share = bytes as f64 / most.max(1) as f64;
    HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
}

/// The lines of three amounts with their labels, and the numbers of the moments.
fn axes(count: usize, most: u64) -> Markup {
    let amounts = [0, most / 2, most].map(|bytes| (bytes, y(bytes, most)));
    let lines = amounts.map(|(_, y)| format!("M{LEFT} {y:.0}H{}", WIDTH - RIGHT));
    html! {
        path.grid d=(lines.concat()) {}
        @for (bytes, y) in amounts {
            text.end x=(LEFT - 8.0) y=(format!("{:.0}", y + 4.0)) { (amount(bytes)) }
        }
        @for index in (0..count).step_by(count.div_ceil(20)) {
            text x=(format!("{:.0}", x(index, count))) y=(HEIGHT - 8.0) { (index + 1) }
        }
    }
}

/// A line through the moments, with a dot at each.
fn line(moments: &[Moment], most: u64, class: &str, of: fn(&Moment) -> u64) -> Markup {
    let place = |(index, moment)| (x(index, moments.len()), y(of(moment), most));
    let places: Vec<_> = moments.iter().enumerate().map(place).collect();
    let joined = |write: fn(&(f64, f64)) -> String| places.iter().map(write).collect::<String>();
    html! {
        polyline class=(class) points=(joined(|(x, y)| format!("{x:.0},{y:.0} ")).trim_end()) {}
        // Lines without a length: their round ends are the dots.
        path class=(class) d=(joined(|(x, y)| format!("M{x:.0} {y:.0}h0"))) {}
    }
}
