//! Servers under load, as ratios.

use super::scale::Doubling;
use super::svg::{Anchor, Svg, shorten, width_of};
use crate::format;
use crate::program::results::{LoadReport, ProgramReport};
use crate::statistics::Summary;

const ROW: f64 = 20.0;
const BAR: f64 = 11.0;
const TOP: f64 = 64.0;
/// Above and below the bars of a panel.
const HEAD: f64 = 30.0;
const FOOT: f64 = 52.0;
/// Of a panel: the bars, then the numbers, then nothing.
const PLOT: f64 = 200.0;
const NUMBERS: f64 = 58.0;
const GAP: f64 = 22.0;
const COLUMNS: usize = 3;
const LONGEST_LABEL: f64 = 270.0;

/// A panel for each load, or nothing if nothing was measured that can be
/// compared.
#[must_use]
pub fn program(report: &ProgramReport) -> Option<String> {
    let reference = report.nats.or(report.baseline)?;
    let panels: Vec<(&LoadReport, f64)> = report
        .loads
        .iter()
        .filter_map(|load| Some((load, load.cells.get(reference)?.summary?.median)))
        .collect();
    let ratios = panels.iter().flat_map(|(load, by)| {
        let summaries = load.cells.iter().filter_map(|cell| cell.summary);
        summaries.map(|summary| summary.divided_by(*by))
    });
    let all = Summary::of(ratios.flat_map(|ratio| [ratio.minimum, ratio.maximum]))?;
    let labels: Vec<String> = report
        .servers
        .iter()
        .map(|server| shorten(&server.label, LONGEST_LABEL))
        .collect();
    let left = labels.iter().map(|l| width_of(l)).fold(60.0, f64::max) + 14.0;
    let columns = COLUMNS.min(panels.len());
    let height = HEAD + ROW * format::number(labels.len()) + FOOT;

    let mut svg = Svg::new();
    let title = format!("Broker under load, relative to {}", labels[reference]);
    svg.text("title", Anchor::Start, 8.0, 24.0, &title);
    let legend = "Bars: median of deliveries per second (more is better), with \"half load\" of p99 \
                  latency (less is better);";
    svg.text("muted", Anchor::Start, 8.0, 44.0, legend);
    let legend = "lines: lowest to highest round; blue: better, orange: worse";
    svg.text("muted", Anchor::Start, 8.0, 60.0, legend);
    for (place, (load, by)) in panels.iter().enumerate() {
        let (row, column) = (place / columns, place % columns);
        let x = left + format::number(column) * (PLOT + NUMBERS + GAP);
        let y = TOP + format::number(row) * height;
        if column == 0 {
            for (place, label) in labels.iter().enumerate() {
                let y = y + HEAD + ROW * (format::number(place) + 0.5) + 4.5;
                svg.text("", Anchor::End, left - 10.0, y, label);
            }
        }
        let scale = Doubling::new(all.minimum, all.maximum, x, PLOT);
        panel(&mut svg, load, *by, &scale, (x, y), reference);
    }
    let width = left + format::number(columns) * (PLOT + NUMBERS + GAP);
    let rows = format::number(panels.len().div_ceil(columns));
    Some(svg.finish(f64::max(width, 780.0), TOP + rows * height, &title))
}

fn panel(
    svg: &mut Svg,
    load: &LoadReport,
    by: f64,
    scale: &Doubling,
    (x, y): (f64, f64),
    reference: usize,
) {
    let top = y + HEAD;
    let bottom = top + ROW * format::number(load.cells.len());
    let name = shorten(&load.name, PLOT + NUMBERS);
    svg.text("", Anchor::Start, x, top - 10.0, &name);
    for (x, text) in scale.ticks(36.0) {
        svg.line("grid", (x, top), (x, bottom + 4.0));
        svg.text("muted", Anchor::Middle, x, bottom + 18.0, &text);
    }
    let axis = if load.latency {
        "ratio of p99 (logarithmic), less is better"
    } else {
        "ratio of rates (logarithmic), more is better"
    };
    let middle = x + f64::midpoint(PLOT, NUMBERS);
    svg.text("muted", Anchor::Middle, middle, bottom + 34.0, axis);
    let one = scale.at(1.0);
    for (place, cell) in load.cells.iter().enumerate() {
        let middle = top + ROW * (format::number(place) + 0.5);
        let Some(summary) = cell.summary else {
            let why = match &cell.failure {
                Some(why) => format!("failed: {why}"),
                None if cell.left_out => continue,
                None => "not measured".to_owned(),
            };
            let room = PLOT + NUMBERS + x - one - 8.0;
            let text = shorten(&why, room);
            svg.text("muted", Anchor::Start, one + 8.0, middle + 4.5, &text);
            continue;
        };
        let ratio = summary.divided_by(by);
        let end = scale.at(ratio.median);
        let class = class(load, ratio.median, place == reference);
        let bar = (one.min(end), (one - end).abs());
        svg.rect(class, bar.0, middle - BAR / 2.0, bar.1, BAR);
        svg.range(scale.at(ratio.minimum), scale.at(ratio.maximum), middle);
        let text = format::ratio(ratio.median);
        let right = x + PLOT + NUMBERS - 4.0;
        svg.text("", Anchor::End, right, middle + 4.5, &text);
    }
    svg.line("mark", (one, top - 4.0), (one, bottom + 4.0));
}

fn class(load: &LoadReport, ratio: f64, reference: bool) -> &'static str {
    if reference {
        "base"
    } else if (ratio < 1.0) == load.latency {
        "faster"
    } else {
        "slower"
    }
}
