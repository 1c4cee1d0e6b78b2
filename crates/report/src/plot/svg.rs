//! SVG, as little of it as the plots need.

use std::fmt::Write;

/// Colours by what they are for. The first ones can be read on light and dark
/// backgrounds alike, for programs that know nothing of preferences.
const STYLE: &str = "\
text{font-family:system-ui,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif;font-size:13px;fill:#7d8590}
.title{font-size:16px;font-weight:600}
.muted{font-size:12px}
.grid{stroke:#8b949e;stroke-opacity:.3}
.range{stroke:#7d8590;stroke-width:1.5}
.mark{stroke:#7d8590;stroke-width:1.5;stroke-dasharray:5 3}
.base{fill:#8b949e}.faster{fill:#2f81c7}.slower{fill:#d9822b}
@media (prefers-color-scheme:light){text{fill:#1f2328}.muted{fill:#59636e}.range,.mark{stroke:#1f2328}}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.muted{fill:#9198a1}.range,.mark{stroke:#e6edf3}}
";

/// Where a text stands relative to its position.
#[derive(Debug, Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A picture being drawn, with its background left transparent.
#[derive(Debug)]
pub(super) struct Svg {
    body: String,
}

impl Svg {
    pub(super) fn new() -> Self {
        Self {
            body: String::new(),
        }
    }

    pub(super) fn rect(&mut self, class: &str, x: f64, y: f64, width: f64, height: f64) {
        // Too thin a bar could not be seen.
        let width = width.max(1.0);
        self.put(format_args!(
            r#"<rect class="{class}" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}"/>"#
        ));
    }

    pub(super) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        self.put(format_args!(
            r#"<line class="{class}" x1="{:.1}" y1="{:.1}" x2="{:.1}" y2="{:.1}"/>"#,
            from.0, from.1, to.0, to.1
        ));
    }

    pub(super) fn text(&mut self, class: &str, anchor: Anchor, x: f64, y: f64, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = escape(text);
        self.put(format_args!(
            r#"<text class="{class}" text-anchor="{anchor}" x="{x:.1}" y="{y:.1}">{text}</text>"#
        ));
    }

    /// A range with ends, centred on a line.
    pub(super) fn range(&mut self, from: f64, to: f64, y: f64) {
        self.line("range", (from, y), (to, y));
        for end in [from, to] {
            self.line("range", (end, y - 4.0), (end, y + 4.0));
        }
    }

    fn put(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.body, "{element}");
    }

    pub(super) fn finish(self, width: f64, height: f64, title: &str) -> String {
        let title = escape(title);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n{}</svg>\n",
            self.body
        )
    }
}

/// Text as XML wants it.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' => escaped.push(' '),
            // XML has no way to write these at all.
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                escaped.push(char::REPLACEMENT_CHARACTER);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// How wide a text of 13 pixels is at most, about: fonts differ.
pub(super) fn width_of(text: &str) -> f64 {
    crate::format::number(text.chars().count()) * 7.3
}

/// The text, or its beginning if it is wider than this.
pub(super) fn shorten(text: &str, width: f64) -> String {
    if width_of(text) <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        if width_of(&kept) + width_of("xx") > width {
            break;
        }
        kept.push(c);
    }
    kept.trim_end().to_owned() + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_xml() {
        assert_eq!(
            escape("a<b>&\"c\"\t\u{1}"),
            "a&lt;b&gt;&amp;&quot;c&quot; \u{fffd}"
        );
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(shorten("short", 100.0), "short");
        let cut = shorten("something long, much too long", 100.0);
        assert!(cut.starts_with("something") && cut.ends_with('…'), "{cut}");
        assert!(width_of(&cut) <= 100.0);
        assert_eq!(shorten("ab", 0.0), "…");
    }
}
