//! A section in Markdown: its charts, then its tables.

use crate::format;
use crate::section::{AT_MOST, Cell, FIRST_ITERATION, Measure, Ratios, Row, Section, Table};
use crate::statistics::Summary;
use crate::text::{escape, line, table};

/// From this ratio of a reference's largest to its smallest value on, a row is listed as varying widely.
const APART: f64 = 1.5;

pub(super) fn section(text: &mut String, section: &Section) {
    line(text, &format!("{}\n", section.heading));
    if let Some(why) = &section.failure {
        line(text, &format!("failed: {}\n", escape(why)));
    } else if section.rows.is_empty() {
        line(text, "not measured\n");
    }
    if let Some(body) = &section.body {
        line(text, body);
    }
    let whole = section
        .plot
        .iter()
        .map(|file| (section.name.to_owned(), file));
    let rows = section
        .rows
        .iter()
        .filter_map(|row| Some((escape(&row.name), row.plot.as_ref()?)));
    for (name, file) in whole.chain(rows) {
        line(text, &format!("![{name}: ratios]({file})\n"));
    }
    for one in &section.tables {
        lines_of(text, section, one);
    }
}

/// Writes a table, if it has lines.
fn lines_of(text: &mut String, section: &Section, of: &Table) {
    let mut notes = Notes::default();
    let mut lines = Vec::new();
    for row in &section.rows {
        let shown = row
            .measures
            .iter()
            .filter(|name| of.measures.contains(name));
        for measure in shown.filter_map(|name| section.measure(name)) {
            let cells = row.cells.iter().map(|cell| {
                if of.to_smallest {
                    to_smallest(section, row, cell, measure)
                } else {
                    value(section, row, cell, measure, &mut notes)
                }
            });
            let cells: Vec<String> = cells.collect();
            lines.push([vec![title(row, measure, of)], cells].concat());
        }
    }
    if lines.is_empty() {
        return;
    }
    line(text, &format!("{}\n", of.heading));
    let columns = section.columns.iter().map(|column| {
        let [name, label] = [&column.name, &column.label].map(|text| escape(text));
        if column.shipped {
            format!("**{name}** ({label})")
        } else {
            label
        }
    });
    let header: Vec<String> = [of.title.to_owned()].into_iter().chain(columns).collect();
    table(text, &header, lines);
    if of.to_smallest {
        apart(text, section);
    }
    for (place, note) in notes.0.iter().enumerate() {
        line(text, &format!("\\[{}\\] {}\n", place + 1, escape(note)));
    }
}

fn title(row: &Row, measure: &Measure, of: &Table) -> String {
    let name = escape(&row.name);
    match &row.note {
        _ if of.measures.len() > 1 => format!("{name}, {}", measure.title),
        Some(note) => format!("{name} ({})", escape(note)),
        None => name,
    }
}

/// Notes of a table, each once.
#[derive(Default)]
struct Notes(Vec<String>);

impl Notes {
    fn number(&mut self, note: &str) -> usize {
        let place = self.0.iter().position(|other| other == note);
        place.unwrap_or_else(|| {
            self.0.push(note.to_owned());
            self.0.len() - 1
        }) + 1
    }
}

/// Formats median, range, ratios, and notes.
fn value(
    section: &Section,
    row: &Row,
    cell: &Cell,
    measure: &Measure,
    notes: &mut Notes,
) -> String {
    let reading = cell.readings.get(measure.name);
    let is_first = row.first() == measure.name;
    let mut parts = Vec::new();
    if let Some((reading, summary)) = reading.and_then(|reading| Some((reading, reading.summary?)))
    {
        let shown = if reading.values.len() > 1 {
            format::with_range(summary, measure.show)
        } else {
            (measure.show)(summary.median)
        };
        parts.push(shown);
        let ratios: Vec<String> = reading
            .ratios
            .iter()
            .flatten()
            .map(|ratio| format::ratio(ratio.median))
            .collect();
        if !ratios.is_empty() {
            parts.push(ratios.join(" / "));
        }
        let (count, rounds) = (reading.values.len(), section.rounds);
        if is_first && count < rounds as usize {
            parts.push(format!("\\[{count} of {rounds} rounds\\]"));
        }
    }
    match &cell.failure {
        Some(why) if is_first => parts.push(format!("failed: {}", escape(why))),
        _ if !parts.is_empty() || cell.left_out => {}
        Some(_) => parts.push("–".to_owned()),
        None if reading.is_some() => parts.push("–".to_owned()),
        None => parts.push("not measured".to_owned()),
    }
    let shown = parts.join(" ");
    match reading.and_then(|reading| reading.note.as_deref()) {
        None => shown,
        Some(FIRST_ITERATION) => shown + "\\*",
        Some(AT_MOST) => format!("≤ {shown}"),
        Some(note) => format!("{shown} \\[{}\\]", notes.number(note)),
    }
}

fn reference<'a>(section: &Section, row: &'a Row, measure: &Measure) -> Option<&'a Summary> {
    let cell = row.cells.get(*section.references.first()?)?;
    cell.readings.get(measure.name)?.summary.as_ref()
}

fn to_smallest(section: &Section, row: &Row, cell: &Cell, measure: &Measure) -> String {
    let own = cell
        .readings
        .get(measure.name)
        .and_then(|reading| reading.summary);
    let ratio = own
        .zip(reference(section, row, measure))
        .map(|(own, other)| own.median / other.minimum);
    ratio.map_or("–".to_owned(), format::ratio)
}

/// Lists the rows in which the reference's values vary widely.
fn apart(text: &mut String, section: &Section) {
    let rows = section.rows.iter().filter_map(|row| {
        let measure = section
            .measure(row.first())
            .filter(|measure| measure.ratios != Ratios::None)?;
        let summary = reference(section, row, measure)?;
        let apart = summary.maximum / summary.minimum;
        (apart >= APART).then(|| format!("{} ({})", escape(&row.name), format::ratio(apart)))
    });
    let rows: Vec<String> = rows.collect();
    if !rows.is_empty() {
        let rows = rows.join("; ");
        line(
            text,
            &format!(
                "Slowest to fastest round of the reference, where they vary widely: {rows}.\n"
            ),
        );
    }
}
