//! Draws plots of resident memory over time, and of the time of a `_heapmin`
//! call over the size of the heap.

use super::{Curve, Measured, SIZES};
use plotters::prelude::*;
use std::error::Error;
use std::path::Path;

const SIZE: (u32, u32) = (900, 500);

/// Draws resident memory over time, with a line for each candidate.
///
/// # Errors
/// If the file cannot be written.
pub fn resident(path: &Path, curves: &[(String, Curve)]) -> Result<(), Box<dyn Error>> {
    let title =
        "Resident memory: twice 128 MiB of 16 to 2048 bytes, nine tenths freed, then _heapmin";
    draw(path, title, ("work (s)", "resident (MiB)"), curves)
}

/// Draws the time of a `_heapmin` call over the size of the heap, with a line for
/// each candidate.
///
/// # Errors
/// If the file cannot be written.
pub fn release(path: &Path, measured: &[Measured]) -> Result<(), Box<dyn Error>> {
    let sizes: Vec<&Measured> = SIZES
        .iter()
        .filter_map(|size| {
            measured
                .iter()
                .find(|one| one.bench.name == format!("size-{size}"))
        })
        .collect();
    let names = sizes
        .first()
        .map_or(&[][..], |one| &one.rows[..])
        .iter()
        .map(|row| row.candidate.clone());
    let lines: Vec<(String, Curve)> = names
        .enumerate()
        .map(|(index, name)| {
            let point = |one: &&Measured| {
                let figures = one.rows[index].figures.as_ref().ok()?;
                Some((one.bench.mebibytes as f64, figures.release_ms?.median))
            };
            (name, sizes.iter().filter_map(point).collect())
        })
        .collect();
    draw(
        path,
        "Time of _heapmin after all blocks were freed",
        ("heap (MiB)", "time (ms)"),
        &lines,
    )
}

fn draw(
    path: &Path,
    title: &str,
    axes: (&str, &str),
    lines: &[(String, Curve)],
) -> Result<(), Box<dyn Error>> {
    let points = || lines.iter().flat_map(|(_, line)| line);
    let most =
        |of: fn(&(f64, f64)) -> f64| points().map(of).fold(f64::MIN_POSITIVE, f64::max) * 1.05;
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..most(|point| point.0), 0.0..most(|point| point.1))?;
    chart
        .configure_mesh()
        .x_desc(axes.0)
        .y_desc(axes.1)
        .light_line_style(WHITE)
        .draw()?;
    for (index, (name, line)) in lines.iter().enumerate() {
        let colour = Palette99::pick(index).to_rgba();
        let width = if index == 0 { 3 } else { 1 };
        let style = colour.stroke_width(width);
        chart
            .draw_series(LineSeries::new(line.iter().copied(), style))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style));
    }
    chart
        .configure_series_labels()
        .background_style(WHITE.mix(0.9))
        .border_style(BLACK)
        .position(SeriesLabelPosition::UpperLeft)
        .draw()?;
    area.present()?;
    Ok(())
}
