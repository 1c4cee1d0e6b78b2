//! Draws panels of bars that show ratios.

use super::policy::{Place, Scale, columns, width_of, wrap};
use super::svg::{
    Anchor::{End, Middle, Start},
    Svg,
};
use crate::statistics::{Summary, as_number};

/// Space between an edge and the content.
const MARGIN: f64 = 8.0;
const ROW: f64 = 20.0;
const BAR: f64 = 11.0;
/// Height of a line of text.
const LINE: f64 = 16.0;
/// Height below the bars of a panel, for ticks and the lines that explain them.
const FOOT: f64 = 34.0;
/// Space between panels, and around columns of numbers.
const GAP: f64 = 16.0;
/// Width of the bars in a panel beside others, and in one alone.
const NARROW: f64 = 170.0;
const WIDE: f64 = 420.0;
/// Distance from a text's baseline to its middle.
const HALF: f64 = 4.5;
const ARROW: f64 = 7.0;
/// With this many bars, a panel has ticks above them as well.
const TALL: usize = 30;
/// Minimum width, for the legend.
const WIDTH: f64 = 640.0;

/// Panels with the same bars, in rows.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) title: String,
    pub(super) legend: Vec<String>,
    /// The label of each bar, and whether it is shipped to users.
    pub(super) labels: Vec<(String, bool)>,
    /// Headings of the columns of numbers.
    pub(super) heads: Vec<String>,
    pub(super) panels: Vec<Panel>,
}

#[derive(Debug)]
pub(super) struct Panel {
    pub(super) title: String,
    /// The quantity. Panels with the same one have the same scale.
    pub(super) axis: String,
    pub(super) more_is_better: bool,
    /// One for each label.
    pub(super) bars: Vec<Bar>,
}

#[derive(Debug)]
pub(super) enum Bar {
    /// The cell does not exist.
    Empty,
    /// A word, and the reason.
    Missing(&'static str, Option<String>),
    Ratio(Drawn),
}

#[derive(Debug)]
pub(super) struct Drawn {
    pub(super) ratio: Summary,
    /// Whether the others are compared with it.
    pub(super) is_reference: bool,
    /// A second ratio, drawn as a mark.
    pub(super) mark: Option<f64>,
    /// The texts in the columns of numbers.
    pub(super) numbers: Vec<String>,
}

impl Panel {
    fn drawn(&self) -> impl Iterator<Item = &Drawn> {
        self.bars.iter().filter_map(|bar| match bar {
            Bar::Ratio(drawn) => Some(drawn),
            _ => None,
        })
    }
}

/// Positions and sizes.
struct Layout {
    columns: usize,
    /// Widths of labels, of bars, of each column of numbers, and of a panel.
    left: f64,
    plot: f64,
    numbers: Vec<f64>,
    panel: f64,
    /// Heights of the longest panel title with what is above its bars, and of the longest axis text.
    head: f64,
    axis: f64,
    width: f64,
}

impl Layout {
    fn of(picture: &Picture) -> Self {
        let columns = columns(picture.panels.len());
        let widest = |texts: &mut dyn Iterator<Item = &String>| {
            texts.map(|text| width_of(text)).fold(0.0, f64::max)
        };
        // What is shipped is printed in bold.
        let left =
            widest(&mut picture.labels.iter().map(|(label, _)| label)) * 1.08 + MARGIN + 10.0;
        let drawn = || picture.panels.iter().flat_map(Panel::drawn);
        let count = drawn()
            .map(|one| one.numbers.len())
            .max()
            .unwrap_or_default();
        let number = |place| {
            let numbers = drawn().filter_map(move |one| one.numbers.get(place));
            widest(&mut numbers.chain(picture.heads.get(place))) + GAP
        };
        let numbers: Vec<f64> = (0..count).map(number).collect();
        let plot = if columns == 1 { WIDE } else { NARROW };
        let panel = plot + numbers.iter().sum::<f64>();
        let highest = |text: fn(&Panel) -> &str| {
            let lines = picture
                .panels
                .iter()
                .map(|one| wrap(text(one), panel).len());
            many(lines.max().unwrap_or_default()) * LINE
        };
        let heads = if picture.heads.is_empty() { 0.0 } else { LINE };
        Self {
            columns,
            left,
            plot,
            numbers,
            panel,
            head: highest(|one| &one.title) + heads + 14.0,
            axis: highest(|one| &one.axis),
            width: f64::max(left + many(columns) * (panel + GAP) + MARGIN, WIDTH),
        }
    }
}

fn many(count: usize) -> f64 {
    as_number(count as u64)
}

pub(super) fn draw(picture: &Picture) -> String {
    let layout = &Layout::of(picture);
    let mut svg = Svg::default();
    let room = layout.width - 2.0 * MARGIN;
    let mut y = 24.0;
    for line in wrap(&picture.title, room / 1.3) {
        svg.text("title", Start, (MARGIN, y), &line);
        y += LINE + 4.0;
    }
    for line in picture.legend.iter().flat_map(|text| wrap(text, room)) {
        svg.text("muted", Start, (MARGIN, y), &line);
        y += LINE;
    }
    for panels in picture.panels.chunks(layout.columns) {
        let top = y + layout.head;
        labels(&mut svg, picture, layout, top, panels.len());
        for (place, panel) in panels.iter().enumerate() {
            let x = layout.left + many(place) * (layout.panel + GAP);
            let same = picture
                .panels
                .iter()
                .filter(|other| other.axis == panel.axis);
            let ratios = same
                .flat_map(Panel::drawn)
                .flat_map(|one| [Some(one.ratio.median), one.mark]);
            let scale = Scale::new(&ratios.flatten().collect::<Vec<_>>());
            frame(&mut svg, picture, panel, layout, (x, y), scale);
            for (bar, middle) in panel.bars.iter().zip(middles(top)) {
                match bar {
                    Bar::Empty => {}
                    Bar::Missing(word, why) => {
                        let at = (x + layout.panel, middle + HALF);
                        svg.text_told("muted", End, at, word, why.as_deref());
                    }
                    Bar::Ratio(drawn) => {
                        self::bar(&mut svg, drawn, panel, layout, (x, middle), scale);
                    }
                }
            }
        }
        y = top + many(picture.labels.len()) * ROW + FOOT + layout.axis;
    }
    svg.finish(layout.width, y + MARGIN, &picture.title)
}

/// The middles of rows of bars.
fn middles(top: f64) -> impl Iterator<Item = f64> {
    (0..).map(move |place| top + ROW * (many(place) + 0.5))
}

fn labels(svg: &mut Svg, picture: &Picture, layout: &Layout, top: f64, panels: usize) {
    let right = layout.left + many(panels) * (layout.panel + GAP);
    for ((label, shipped), middle) in picture.labels.iter().zip(middles(top)) {
        if *shipped {
            svg.rect("band", 2.0, middle - ROW / 2.0, right - GAP + 4.0, ROW);
        }
        let class = if *shipped { "shipped" } else { "" };
        svg.text(class, End, (layout.left - 10.0, middle + HALF), label);
    }
}

/// Draws a panel without its bars.
fn frame(
    svg: &mut Svg,
    picture: &Picture,
    panel: &Panel,
    layout: &Layout,
    (x, y): (f64, f64),
    scale: Scale,
) {
    for (line, text) in wrap(&panel.title, layout.panel).iter().enumerate() {
        svg.text("", Start, (x, y + many(line + 1) * LINE), text);
    }
    let top = y + layout.head;
    let bottom = top + many(panel.bars.len()) * ROW;
    columns_of(svg, "muted", &picture.heads, layout, (x, top - 5.0));
    for (place, text) in scale.ticks(layout.plot) {
        let x = x + place * layout.plot;
        svg.line("grid", (x, top), (x, bottom + 4.0));
        svg.text("muted", Middle, (x, bottom + 18.0), &text);
        // The panel's foot is far away.
        if panel.bars.len() > TALL {
            svg.text("muted", Middle, (x, top - 5.0), &text);
        }
    }
    let one = x + scale.place(1.0).clipped() * layout.plot;
    svg.line("one", (one, top - 2.0), (one, bottom + 4.0));
    for (line, text) in wrap(&panel.axis, layout.panel).iter().enumerate() {
        svg.text("muted", Start, (x, bottom + 36.0 + many(line) * LINE), text);
    }
}

/// Draws the texts in the columns of numbers.
fn columns_of(svg: &mut Svg, class: &str, texts: &[String], layout: &Layout, (x, y): (f64, f64)) {
    let mut right = x + layout.plot;
    for (text, width) in texts.iter().zip(&layout.numbers) {
        right += width;
        svg.text(class, End, (right, y), text);
    }
}

fn bar(
    svg: &mut Svg,
    drawn: &Drawn,
    panel: &Panel,
    layout: &Layout,
    (x, middle): (f64, f64),
    scale: Scale,
) {
    let at = |ratio: f64| x + scale.place(ratio).clipped() * layout.plot;
    let ratio = drawn.ratio;
    let class = if drawn.is_reference {
        "base"
    } else if (ratio.median > 1.0) == panel.more_is_better {
        "better"
    } else {
        "worse"
    };
    let (one, end) = (at(1.0), at(ratio.median));
    svg.rect(
        class,
        one.min(end),
        middle - BAR / 2.0,
        (one - end).abs(),
        BAR,
    );
    if !arrow(svg, class, scale.place(ratio.median), (end, middle)) {
        svg.line(
            "range",
            (at(ratio.minimum), middle),
            (at(ratio.maximum), middle),
        );
        for edge in [ratio.minimum, ratio.maximum] {
            if let Place::At(_) = scale.place(edge) {
                svg.line("range", (at(edge), middle - 4.0), (at(edge), middle + 4.0));
            }
        }
    }
    if let Some(mark) = drawn.mark
        && !arrow(svg, "mark", scale.place(mark), (at(mark), middle))
    {
        svg.rect(
            "mark",
            at(mark) - 1.5,
            middle - ROW / 2.0 + 1.0,
            3.0,
            ROW - 2.0,
        );
    }
    columns_of(svg, "", &drawn.numbers, layout, (x, middle + HALF));
}

/// Draws an arrow if the place is beyond the scale.
fn arrow(svg: &mut Svg, class: &str, place: Place, (x, y): (f64, f64)) -> bool {
    let length = match place {
        Place::Above => ARROW,
        Place::Below => -ARROW,
        Place::At(_) => return false,
    };
    svg.arrow(class, (x + length, y), length);
    true
}
