//! The report as people read it.

mod library;
mod machine;
mod program;
mod resources;
mod text;

use library::library;
use machine::machine;
use resources::resources;
use text::{escape, header, line, table};

use crate::format;
use crate::results::{Cell, Report};

/// How far apart the baseline's rounds must be to be pointed out.
const APART: f64 = 1.5;

/// Everything. `overview` is the name of the picture of all groups.
#[must_use]
pub fn report(report: &Report, overview: Option<&str>) -> String {
    let mut text = "# Benchmarks of the builds\n\n".to_owned();
    if !report.complete {
        text += "**Incomplete: it was ended before everything was measured.**\n\n";
    }
    for warning in &report.warnings {
        line(&mut text, &format!("**Warning:** {}.\n", escape(warning)));
    }
    if report.failures().1 > 0 {
        text += "**Some benchmarks failed; their cells say why.**\n\n";
    }
    if !report.groups.is_empty() {
        benchmarks(&mut text, report, overview);
    }
    if let Some(servers) = &report.program {
        program::program(&mut text, servers);
    }
    if let Some(survey) = &report.library {
        library(&mut text, survey);
    }
    machine(&mut text, report);
    text.truncate(text.trim_end().len());
    text + "\n"
}

fn benchmarks(text: &mut String, report: &Report, overview: Option<&str>) {
    times(text, report);
    to_the_fastest(text, report);
    if let Some(file) = overview {
        line(text, &format!("![All benchmarks, relative]({file})\n"));
    }
    for group in &report.groups {
        if let Some(file) = &group.plot {
            let name = escape(&group.name);
            line(
                text,
                &format!("![{name}: time of one iteration in ms]({file})\n"),
            );
        }
    }
    resources(text, report);
}

fn times(text: &mut String, report: &Report) {
    let rounds = report.settings.rounds;
    let sampling = report.settings.sampling;
    let ratio = match report.baseline_place().map(|place| &report.variants[place]) {
        Some(variant) => format!(
            ", then the ratio to the median of {}",
            escape(&variant.label)
        ),
        None => String::new(),
    };
    line(
        text,
        &format!(
            "## Time\n\nTime of one iteration in ms: median of {rounds} interleaved rounds, in \
             parentheses their range{ratio}. A round is the median of {} samples, taken in about \
             {} s after {} s of warm-up in a process of its own.\n",
            sampling.samples, sampling.measurement_seconds, sampling.warm_up_seconds
        ),
    );
    let rows = report.groups.iter().map(|group| {
        let cells = group.cells.iter().map(|cell| time(cell, rounds));
        std::iter::once(escape(&group.name)).chain(cells).collect()
    });
    table(text, &header(report, &["benchmark"]), rows);
}

fn time(cell: &Cell, rounds: u32) -> String {
    let mut parts = Vec::new();
    if let Some(summary) = cell.summary_ns {
        parts.push(format::with_range(summary));
    }
    parts.extend(cell.ratio.map(format::ratio));
    if !cell.rounds.is_empty() && cell.rounds.len() < rounds as usize {
        parts.push(format!("\\[{} of {rounds} rounds\\]", cell.rounds.len()));
    }
    match &cell.failure {
        Some(why) => parts.push(format!("failed: {}", escape(why))),
        None if parts.is_empty() => parts.push("not measured".to_owned()),
        None => {}
    }
    parts.join(" ")
}

fn to_the_fastest(text: &mut String, report: &Report) {
    let Some(place) = report.baseline_place() else {
        return;
    };
    let label = escape(&report.variants[place].label);
    line(
        text,
        &format!(
            "### Against the baseline's fastest round\n\nWith several threads, glibc's time has \
             two modes up to twofold apart, as threads meet at the locks of its arenas or do not. \
             A ratio to its median depends on which mode most rounds met, so here is each median \
             by the fastest round of {label}.\n"
        ),
    );
    let rows = report.groups.iter().map(|group| {
        let ratios = group.cells.iter().map(|cell| cell.ratio_to_minimum);
        let ratios = ratios.map(|ratio| ratio.map_or("–".to_owned(), format::ratio));
        std::iter::once(escape(&group.name)).chain(ratios).collect()
    });
    table(text, &header(report, &["benchmark"]), rows);
    let apart: Vec<String> = report
        .groups
        .iter()
        .filter_map(|group| {
            let summary = group.cells[place].summary_ns?;
            let apart = summary.maximum / summary.minimum;
            (apart >= APART).then(|| format!("{} ({})", escape(&group.name), format::ratio(apart)))
        })
        .collect();
    if !apart.is_empty() {
        let groups = apart.join("; ");
        line(
            text,
            &format!("Its slowest round by its fastest, where they are far apart: {groups}.\n"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::LibraryReport;
    use crate::results::Reading;
    use crate::sample;

    /// Cells of a line of a table; bars that are text do not part cells.
    fn cells(line: &str) -> usize {
        line.replace("\\|", "").matches('|').count()
    }

    #[test]
    fn all_rows_of_a_table_have_its_columns() {
        let mut sample = sample::report();
        sample.program = Some(sample::program());
        sample.library = Some(sample::library());
        let text = report(&sample, Some("overview.svg"));
        let mut tables = 0;
        let mut columns = None;
        for line in text.lines() {
            if !line.starts_with('|') {
                columns = None;
                continue;
            }
            tables += usize::from(columns.is_none());
            assert_eq!(cells(line), *columns.get_or_insert(cells(line)), "{line}");
        }
        assert_eq!(tables, 9, "{text}");
    }

    #[test]
    fn times_ratios_and_failures() {
        let text = report(&sample::report(), None);
        for part in [
            "**Incomplete:",
            "**Warning:** it was loud \\| here.",
            "| one | 3.00 (2.00–4.00) 1.00x | 1.10 (1.00–1.20) 0.37x | 25.00 (20.00–30.00) 8.33x |",
            "| one | 1.50x | 0.55x | 12.5x |",
            "failed: killed by SIGSEGV: a \\<b> \\| \\& c \\[0m |",
            "5.00 (5.00–5.00) 1.00x \\[1 of 2 rounds\\] |",
            "far apart: one (2.00x).",
            "| benchmarks | size (MiB) | 1.00 | 1.00 | 1.00 |",
            "CPU use by others at the start: 25 %",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn servers_under_load() {
        let mut sample = sample::report();
        sample.groups.clear();
        sample.program = Some(sample::program());
        let text = report(&sample, None);
        for part in [
            "| 1 to 1 \\<\\&> | 3,000 (2,000–4,000) 3.00x / 1.00x / 0.50x | \
             failed: cannot start: no \\| such \\<file> | \
             1,000 (1,000–1,000) 1.00x / 0.33x / 0.17x \\[1 of 2 rounds\\] | \
             6,000 (6,000–6,000) 6.00x / 2.00x / 1.00x |",
            "the ratio to the a \\| \\<server> and the ratio to the least \\| \\<server> where",
            "1.00x / 0.33x \\[1 of 2 rounds\\] |  |\n",
            "| 1 to 1, half load (1,234,567 messages/s) | 300 (200–400) 3.00x / 1.00x |",
            "at half of the messages that the nats \\| \\<server> stands",
            "| start (ms) | 2.00 (2.00–2.00) | failed: cannot start |",
            "peak RSS (MiB) | 2.00 (2.00–2.00) | – | 2.00 (2.00–2.00) |",
            "processors | 1.50 + 0.25 | – |",
            "](broker.svg)",
            "Some benchmarks failed",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("## Time"), "{text}");
    }

    #[test]
    fn the_parts_of_the_c_library() {
        let mut sample = sample::report();
        sample.groups.clear();
        sample.library = Some(sample::library());
        let text = report(&sample, None);
        for part in [
            "## C library",
            "1 of 4 rows with fast musl, 2 with stock musl",
            "Unexplained: 1 of these rows (math: <slow>)",
            "](libc.svg)",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let failure = Some("no row \"a\" | b".to_owned());
        sample.library = Some(LibraryReport {
            failure,
            ..LibraryReport::default()
        });
        let text = report(&sample, None);
        assert!(text.contains("failed: no row \"a\" \\| b"), "{text}");
        assert!(text.contains("Some benchmarks failed"), "{text}");
    }

    #[test]
    fn equal_notes_are_given_once() {
        let mut sample = sample::report();
        let group = &mut sample.groups[0];
        group.cells[0].system_calls = Reading::of(12.0).noted(crate::session::FIRST_ITERATION);
        group.cells[1].peak_rss_bytes = Reading::of(1e6).noted(crate::session::AT_MOST);
        let text = report(&sample, None);
        assert_eq!(text.matches("\\[1\\] not measured").count(), 1, "{text}");
        assert!(text.contains("| 12\\* |"), "{text}");
        assert!(text.contains("| ≤ 0.95 |"), "{text}");
    }
}
