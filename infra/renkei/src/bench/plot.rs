//! Plots of growth, in one SVG file, two in a row.

use std::path::Path;

use plotters::prelude::*;

use crate::error::CliError;

/// A line from its first point to its last, above zero.
pub struct Line {
    /// What it shows.
    pub title: String,
    /// Where it goes.
    pub points: Vec<(f64, f64)>,
}

const WIDTH: u32 = 1_200;
const HEIGHT: u32 = 260;

/// Draws lines, each in a field of its own.
pub fn plots(path: &Path, lines: &[Line]) -> Result<(), CliError> {
    let rows = lines.len().div_ceil(2);
    let height = HEIGHT * u32::try_from(rows).unwrap_or(1);
    let all = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
    let failed = |error: &dyn std::fmt::Display| CliError::said(format!("{}: {error}", path.display()));
    all.fill(&WHITE).map_err(|error| failed(&error))?;
    for (field, line) in all.split_evenly((rows, 2)).iter().zip(lines) {
        draw(field, line).map_err(|error| failed(&error))?;
    }
    all.present().map_err(|error| failed(&error))
}

fn draw(
    field: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    line: &Line,
) -> Result<(), DrawingAreaErrorKind<<SVGBackend<'static> as DrawingBackend>::ErrorType>> {
    let most = |of: fn(&(f64, f64)) -> f64| line.points.iter().map(of).fold(0.0, f64::max);
    // From zero, so that what is flat looks flat.
    let (right, top) = (most(|it| it.0).max(1.0), most(|it| it.1).max(1.0) * 1.2);
    let mut chart = ChartBuilder::on(field)
        .caption(&line.title, ("sans-serif", 15))
        .margin(12)
        .margin_right(32)
        .x_label_area_size(24)
        .y_label_area_size(48)
        .build_cartesian_2d(0.0..right, 0.0..top)?;
    let whole = |value: &f64| format!("{value:.0}");
    let (mut mesh, across) = (chart.configure_mesh(), &whole);
    mesh.x_labels(6).y_labels(5).x_label_formatter(across).y_label_formatter(across).light_line_style(WHITE).draw()?;
    chart.draw_series(LineSeries::new(line.points.iter().copied(), BLUE.stroke_width(2)))?;
    chart.draw_series(line.points.iter().map(|point| Circle::new(*point, 2, BLUE.filled())))?;
    Ok(())
}
