//! Progress bars on standard error. They are drawn only if that is a terminal, and not with
//! `--quiet`.

use super::messages::is_quiet;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// A bar for this many steps. Its clock goes on while a step takes long.
pub(super) fn bar(steps: u64, template: &str) -> ProgressBar {
    with_clock(ProgressBar::new(steps), template)
}

/// A line with a clock, for work whose steps are not known.
pub(super) fn clock(template: &str) -> ProgressBar {
    with_clock(ProgressBar::no_length(), template)
}

fn with_clock(bar: ProgressBar, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).expect("the template is valid");
    let bar = bar.with_style(style);
    if is_quiet() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}
