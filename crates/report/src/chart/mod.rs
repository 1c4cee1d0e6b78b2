//! Charts of a section: its ratios, panel by panel.

mod draw;
mod policy;
mod svg;

use draw::{Bar, Drawn as Ratio, Panel, Picture, draw};

use crate::format;
use crate::section::{Better, Drawn, Measure, Ratios, Row, Section};
use crate::statistics::Summary;

/// Draws the section, and stores the file names in it. `taken` are file names, without extension, that rows may not
/// have.
pub(crate) fn pictures(
    section: &mut Section,
    complete: bool,
    taken: &mut Vec<String>,
) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut add = |stem: &str, picture: &Picture| {
        let name = format!("{stem}.svg");
        files.push((name.clone(), draw(picture)));
        name
    };
    let whole = match section.drawn {
        Drawn::Rows | Drawn::EachRow => of_rows(section, &section.rows, complete),
        Drawn::OneColumn {
            column,
            mark,
            above,
        } => one_column(section, complete, (column, mark), above),
    };
    section.plot = whole.map(|picture| add(section.file, &picture));
    let each = section.drawn == Drawn::EachRow;
    for place in (0..section.rows.len()).filter(|_| each) {
        let row = &section.rows[place];
        if let Some(picture) = of_rows(section, std::slice::from_ref(row), complete) {
            let stem = file_stem(&row.name, taken);
            section.rows[place].plot = Some(add(&stem, &picture));
            taken.push(stem);
        }
    }
    files
}

/// Returns a panel for each row with ratios, with a bar for each column; `None` if there are none. A row by itself has
/// its values beside its ratios.
fn of_rows(section: &Section, rows: &[Row], complete: bool) -> Option<Picture> {
    let drawn: Vec<Compared<'_>> = rows
        .iter()
        .filter_map(|row| Compared::of(section, row))
        .collect();
    let order = order(section, &drawn);
    let (title, heads) = match &drawn[..] {
        [] => return None,
        [row] => (
            row.title(section),
            vec![row.measure.title.to_owned(), "ratio".to_owned()],
        ),
        _ => (
            format!("{}, relative to {}", title(section), by(section)),
            Vec::new(),
        ),
    };
    let alone = drawn.len() == 1;
    Some(Picture {
        title,
        legend: legend(section, complete),
        labels: order
            .iter()
            .map(|&place| &section.columns[place])
            .map(|one| (one.title().to_owned(), one.shipped))
            .collect(),
        heads,
        panels: drawn
            .iter()
            .map(|row| row.panel(section, &order, alone))
            .collect(),
    })
}

/// Returns a bar for each row in which one of two columns is above a ratio; `None` if there are none.
fn one_column(
    section: &Section,
    complete: bool,
    (column, mark): (usize, usize),
    above: f64,
) -> Option<Picture> {
    let ratio = |row: &Row, column| *row.reading(column)?.ratios.first()?;
    let rows: Vec<(&Row, Summary, Summary)> = section
        .rows
        .iter()
        .filter_map(|row| Some((row, ratio(row, column)?, ratio(row, mark)?)))
        .filter(|(_, own, mark)| own.median > above || mark.median > above)
        .collect();
    let measure = section.measure(rows.first()?.0.first())?;
    let [own, other] = [column, mark].map(|place| section.columns[place].title());
    let bar = |(_, own, mark): &(&Row, Summary, Summary)| {
        Bar::Ratio(Ratio {
            ratio: *own,
            is_reference: false,
            mark: Some(mark.median),
            numbers: [own.median, mark.median].map(format::ratio).to_vec(),
        })
    };
    let rounds = section.rounds;
    Some(Picture {
        title: format!("{}, relative to {}", title(section), by(section)),
        legend: vec![
            format!(
                "{} of {} rows: those above {above}x with {own} or {other}, sorted by the ratio of {own}.",
                rows.len(),
                section.rows.len()
            ),
            format!(
                "Bars are {own}, medians of {rounds} rounds (blue is better than {}, orange worse); lines are the range of \
                 rounds; grey marks are {other}. Arrows lead beyond the scale.{}",
                by(section),
                incomplete(complete)
            ),
        ],
        labels: rows
            .iter()
            .map(|(row, _, _)| (row.name.clone(), false))
            .collect(),
        heads: vec![own.to_owned(), other.to_owned()],
        panels: vec![Panel {
            title: String::new(),
            axis: axis(measure),
            more_is_better: measure.better == Better::More,
            bars: rows.iter().map(bar).collect(),
        }],
    })
}

/// A row with a ratio for each column.
struct Compared<'a> {
    row: &'a Row,
    measure: &'static Measure,
    /// Ratios to the reference, or to the best column if there is no reference.
    ratios: Vec<Option<Summary>>,
    /// The reference's index, if there is one.
    reference: Option<usize>,
}

impl<'a> Compared<'a> {
    /// Returns `None` if there is nothing to compare.
    fn of(section: &Section, row: &'a Row) -> Option<Self> {
        let measure = section
            .measure(row.first())
            .filter(|measure| measure.ratios != Ratios::None)?;
        let summary = |place: usize| row.reading(place)?.summary;
        let summaries: Vec<Option<Summary>> = (0..row.cells.len()).map(summary).collect();
        let medians = summaries.iter().flatten().map(|summary| summary.median);
        let best = medians.reduce(match measure.better {
            Better::Less => f64::min,
            Better::More => f64::max,
        })?;
        let reference = section
            .references
            .first()
            .copied()
            .filter(|&place| summaries[place].is_some());
        let ratio = |(place, summary): (usize, &Option<Summary>)| match reference {
            Some(_) => *row.reading(place)?.ratios.first()?,
            None => summary.map(|summary| summary.divided_by(best)),
        };
        let ratios = summaries.iter().enumerate().map(ratio).collect();
        Some(Self {
            row,
            measure,
            ratios,
            reference,
        })
    }

    fn title(&self, section: &Section) -> String {
        let name = &self.row.name;
        if self.reference.is_none() && !section.references.is_empty() {
            format!("{name} (vs the best)")
        } else {
            name.clone()
        }
    }

    fn panel(&self, section: &Section, order: &[usize], alone: bool) -> Panel {
        let value = |place: usize| {
            let summary = self.row.reading(place)?.summary?;
            alone.then(|| (self.measure.show)(summary.median))
        };
        let bar = |&place: &usize| {
            let cell = &self.row.cells[place];
            match (self.ratios[place], &cell.failure) {
                (Some(ratio), _) => Bar::Ratio(Ratio {
                    ratio,
                    is_reference: section.references.first() == Some(&place),
                    mark: None,
                    numbers: value(place)
                        .into_iter()
                        .chain([format::ratio(ratio.median)])
                        .collect(),
                }),
                (None, _) if cell.left_out => Bar::Empty,
                (None, Some(why)) => Bar::Missing("failed", Some(format!("failed: {why}"))),
                (None, None) => Bar::Missing("not measured", None),
            }
        };
        Panel {
            title: if alone {
                String::new()
            } else {
                self.title(section)
            },
            axis: axis(self.measure),
            more_is_better: self.measure.better == Better::More,
            bars: order.iter().map(bar).collect(),
        }
    }
}

/// Returns the columns in drawing order, without those that have no ratio in any row.
fn order(section: &Section, rows: &[Compared<'_>]) -> Vec<usize> {
    let penalty = |row: &Compared<'_>, place: usize| {
        let ratio = row.ratios[place]?.median;
        Some(if row.measure.better == Better::Less {
            ratio
        } else {
            1.0 / ratio
        })
    };
    let penalties = |place| rows.iter().filter_map(|row| penalty(row, place)).collect();
    let mut order = policy::order(
        &(0..section.columns.len())
            .map(penalties)
            .collect::<Vec<_>>(),
    );
    order.retain(|&place| rows.iter().any(|row| !row.row.cells[place].left_out));
    order
}

fn legend(section: &Section, complete: bool) -> Vec<String> {
    let shipped = section.columns.iter().find(|column| column.shipped);
    let shipped =
        shipped.map(|column| format!(" Bold, with a band: the shipped build ({}).", column.label));
    vec![format!(
        "Bars are ratios to {}, medians of {} rounds: blue is better, orange worse. Lines are the range of rounds; arrows lead \
         beyond the scale. The best are first, by the median of their ratios.{}{}",
        by(section),
        section.rounds,
        shipped.unwrap_or_default(),
        incomplete(complete)
    )]
}

fn incomplete(complete: bool) -> &'static str {
    if complete { "" } else { " (INCOMPLETE)" }
}

/// The name of the reference.
fn by(section: &Section) -> &str {
    section
        .references
        .first()
        .map_or("the best", |&place| section.columns[place].title())
}

/// The section's title, without markup.
fn title(section: &Section) -> &str {
    let first = section.heading.lines().next().unwrap_or(section.name);
    first.trim_start_matches(['#', ' '])
}

fn axis(measure: &Measure) -> String {
    let what = measure
        .title
        .split_once(" (")
        .map_or(measure.title, |(what, _)| what);
    match measure.better {
        Better::Less => format!("{what}, less is better"),
        Better::More => format!("{what}, more is better"),
    }
}

/// Returns a file name for a row that differs from all in `taken`.
fn file_stem(row: &str, taken: &[String]) -> String {
    let mut stem = String::new();
    for c in row.chars() {
        if c.is_ascii_alphanumeric() {
            stem.push(c.to_ascii_lowercase());
        } else if !stem.is_empty() && !stem.ends_with('-') {
            stem.push('-');
        }
    }
    let stem = match stem.trim_end_matches('-') {
        "" => "row",
        stem => stem,
    };
    let numbered = (2..).map(|number| format!("{stem}-{number}"));
    std::iter::once(stem.to_owned())
        .chain(numbered)
        .find(|name| !taken.contains(name))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use roxmltree::{Document, Node};

    use super::*;
    use crate::sample;
    use crate::section::Cell;

    fn number(node: Node<'_, '_>, name: &str) -> f64 {
        let value = node.attribute(name).expect(name);
        value.parse().expect(name)
    }

    /// Returns the approximate left end, right end and baseline of a text.
    fn extent(node: Node<'_, '_>) -> (f64, f64, f64) {
        let text: String = node
            .children()
            .filter(Node::is_text)
            .filter_map(|child| child.text())
            .collect();
        let size = if node.attribute("class") == Some("title") {
            16.0 / 13.0
        } else {
            1.0
        };
        let width = policy::width_of(&text) * size;
        let x = number(node, "x");
        let left = match node.attribute("text-anchor") {
            Some("start") => x,
            Some("middle") => x - width / 2.0,
            _ => x - width,
        };
        (left, left + width, number(node, "y"))
    }

    /// Checks that everything is inside the picture and no texts overlap. Returns all texts.
    fn check(picture: &str) -> String {
        let document = Document::parse(picture).expect("well-formed XML");
        let root = document.root_element();
        let (width, height) = (number(root, "width"), number(root, "height"));
        for node in document.descendants() {
            for (names, most) in [(["x", "x1", "x2"], width), (["y", "y1", "y2"], height)] {
                for name in names.iter().filter(|name| node.has_attribute(**name)) {
                    let value = number(node, name);
                    assert!((0.0..=most).contains(&value), "{name}={value} {node:?}");
                }
            }
        }
        let texts: Vec<_> = document
            .descendants()
            .filter(|node| node.has_tag_name("text"))
            .collect();
        let extents: Vec<_> = texts.iter().map(|node| extent(*node)).collect();
        for (place, &(left, right, y)) in extents.iter().enumerate() {
            assert!(
                left >= -0.5 && right <= width + 0.5,
                "cut: {:?} of {width}",
                (left, right, texts[place])
            );
            for &(other_left, other_right, other_y) in &extents[..place] {
                let apart =
                    right <= other_left || other_right <= left || (y - other_y).abs() >= 12.0;
                assert!(
                    apart,
                    "{:?} runs into another",
                    texts[place].descendants().next_back()
                );
            }
        }
        let texts = document.descendants().filter(Node::is_text);
        let texts = texts.filter_map(|node| node.text());
        texts
            .filter(|text| !text.trim().is_empty())
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn drawn(section: &mut Section) -> Vec<(String, String)> {
        let files = pictures(section, false, &mut Vec::new());
        files
            .into_iter()
            .map(|(name, picture)| (name, check(&picture)))
            .collect()
    }

    #[test]
    fn rows_are_drawn_together_and_one_by_one() {
        let mut section = sample::allocations();
        let files = drawn(&mut section);
        let names: Vec<&str> = files.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["overview.svg", "one.svg", "two.svg"]);
        assert_eq!(section.plot.as_deref(), Some("overview.svg"));
        assert_eq!(section.rows[1].plot.as_deref(), Some("two.svg"));
        let [all, one, two] = [0, 1, 2].map(|place| &files[place].1);
        for part in [
            "one",
            "two <&>",
            "8.33x",
            "0.37x",
            "failed: killed by SIGSEGV: a <b>",
            "1x",
            "4x",
            "time, less is better",
            "relative to the plain | build",
            "(INCOMPLETE)",
            "the shipped build (the b | build",
        ] {
            assert!(all.contains(part), "{part}: {all}");
        }
        for part in ["one", "time (ms)", "3.00", "25.00", "8.33x", "(INCOMPLETE)"] {
            assert!(one.contains(part), "{part}: {one}");
        }
        assert!(
            two.contains("two <&> \"|\"") && two.contains("failed"),
            "{two}"
        );
    }

    #[test]
    fn what_is_shipped_is_named_as_its_package() {
        let mut section = sample::allocations();
        let [all, ..] = &pictures(&mut section, true, &mut Vec::new())[..] else {
            panic!("it is drawn")
        };
        assert!(
            all.1.contains(r#"<text class="shipped" text-anchor="end""#),
            "{}",
            all.1
        );
        assert!(
            all.1.contains(">b</text>") && all.1.contains(r#"class="band""#),
            "{}",
            all.1
        );
        section.columns[1].shipped = false;
        let all = &pictures(&mut section, true, &mut Vec::new())[0].1;
        assert!(!all.contains(r#"class="band""#), "{all}");
    }

    #[test]
    fn the_best_come_first() {
        let mut section = sample::allocations();
        let one = &drawn(&mut section)[1].1;
        let at = |text: &str| one.find(&format!("\n{text}\n")).expect(text);
        assert!(
            at("b") < at("the plain | build")
                && at("the plain | build")
                    < at("the c | build, <with> \"more\" & a long label that is not cut"),
            "{one}"
        );
    }

    #[test]
    fn an_outlier_is_an_arrow_with_its_value() {
        let mut section = sample::allocations();
        let arrows = |section: &mut Section| {
            pictures(section, true, &mut Vec::new())[0]
                .1
                .matches("<path")
                .count()
        };
        assert_eq!(arrows(&mut section), 0);
        for (column, value) in [(0, 1e6), (1, 54.3e6), (2, 0.01e6)] {
            let cell = &mut section.rows[0].cells[column];
            *cell = Cell::default();
            cell.push("time", 1, value);
        }
        section.summarise();
        assert_eq!(arrows(&mut section), 2);
        assert!(drawn(&mut section)[0].1.contains("54.3x"));
    }

    #[test]
    fn without_a_reference_the_best_is_compared_with() {
        let mut section = sample::allocations();
        section.references.clear();
        section.summarise();
        let text = &drawn(&mut section)[0].1;
        assert!(
            text.contains("relative to the best") && text.contains("22.7x"),
            "{text}"
        );
        let mut section = sample::broker();
        for row in &mut section.rows {
            row.cells[2] = Cell::default();
        }
        section.summarise();
        let text = &drawn(&mut section)[0].1;
        assert!(
            text.contains("1 to 1 <&> (vs the best)") && text.contains("0.50x"),
            "{text}"
        );
    }

    #[test]
    fn more_can_be_better() {
        let mut section = sample::broker();
        // Some texts take two lines.
        let text = drawn(&mut section)[0].1.replace('\n', " ");
        for part in [
            "relative to the nats | <server>",
            "1 to 1 <&>",
            "3.00x",
            "deliveries/s, more is better",
            "p99 latency, less is better",
            "failed",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("without load"), "it is not compared: {text}");
        let picture = &pictures(&mut section, true, &mut Vec::new())[0].1;
        assert!(picture.contains(r#"class="better""#), "{picture}");
    }

    #[test]
    fn rows_without_a_penalty_are_left_out() {
        let mut section = sample::libc();
        let files = drawn(&mut section);
        assert_eq!(files[0].0, "libc.svg");
        let text = &files[0].1;
        for part in [
            "math: <slow>",
            "3.00x",
            "900.0x",
            "memory: cured",
            "0.90x",
            "2 of 4 rows",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("never slow"), "{text}");
        section.rows.clear();
        assert!(drawn(&mut section).is_empty());
        assert_eq!(section.plot, None);
    }

    #[test]
    fn nothing_measured_is_not_drawn() {
        let mut section = sample::allocations();
        for cell in section.rows.iter_mut().flat_map(|row| &mut row.cells) {
            cell.readings.clear();
        }
        assert!(drawn(&mut section).is_empty());
    }

    #[test]
    fn files_have_plain_names_that_differ() {
        let mut taken = vec!["overview".to_owned()];
        for (row, expected) in [
            ("single thread, OS entropy", "single-thread-os-entropy"),
            ("Single thread: OS entropy!", "single-thread-os-entropy-2"),
            ("overview", "overview-2"),
            ("../..", "row"),
            ("ß", "row-2"),
        ] {
            let stem = file_stem(row, &taken);
            assert_eq!(stem, expected);
            taken.push(stem);
        }
    }
}
