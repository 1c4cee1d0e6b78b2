//! The subset of SVG that the charts need.
//!
//! Plotting libraries write their colours into each element (plotters' SVG backend does, as `fill` and `stroke`), so
//! one file could not follow `prefers-color-scheme`, and they have no layout that keeps labels apart. Little else
//! remains for them to do.

use std::fmt::Write;

/// Colours by role. The defaults are readable on light and dark backgrounds,
/// for viewers that do not support `prefers-color-scheme`.
const STYLE: &str = "\
text{font-family:system-ui,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif;font-size:13px;fill:#7d8590}
.title{font-size:16px;font-weight:600}
.muted{font-size:12px}
.shipped{font-weight:600}
.grid{stroke:#8b949e;stroke-opacity:.3}
.range{stroke:#7d8590;stroke-width:1.5}
.one{stroke:#7d8590;stroke-width:1.5;stroke-dasharray:5 3}
.band{fill:#8b949e;fill-opacity:.18}
.base,.mark{fill:#8b949e}.better{fill:#2f81c7}.worse{fill:#d9822b}
@media (prefers-color-scheme:light){text{fill:#1f2328}.muted{fill:#59636e}.range,.one{stroke:#1f2328}}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.muted{fill:#9198a1}.range,.one{stroke:#e6edf3}}
";

/// How a text is aligned to its position.
#[derive(Debug, Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A picture being drawn, with a transparent background.
#[derive(Debug, Default)]
pub(super) struct Svg {
    body: String,
}

impl Svg {
    pub(super) fn rect(&mut self, class: &str, x: f64, y: f64, width: f64, height: f64) {
        // A thinner bar would be invisible.
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

    /// Draws a triangle with its tip at this position; a negative length points to the left.
    pub(super) fn arrow(&mut self, class: &str, (x, y): (f64, f64), length: f64) {
        let (back, half) = (x - length, length.abs() * 0.75);
        self.put(format_args!(
            r#"<path class="{class}" d="M{x:.1} {y:.1}L{back:.1} {:.1}L{back:.1} {:.1}Z"/>"#,
            y - half,
            y + half
        ));
    }

    pub(super) fn text(&mut self, class: &str, anchor: Anchor, at: (f64, f64), text: &str) {
        self.text_told(class, anchor, at, text, None);
    }

    /// Draws a text with a tooltip.
    pub(super) fn text_told(
        &mut self,
        class: &str,
        anchor: Anchor,
        (x, y): (f64, f64),
        text: &str,
        told: Option<&str>,
    ) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let told = told.map(|told| format!("<title>{}</title>", escape(told)));
        let (told, text) = (told.unwrap_or_default(), escape(text));
        self.put(format_args!(
            r#"<text class="{class}" text-anchor="{anchor}" x="{x:.1}" y="{y:.1}">{told}{text}</text>"#
        ));
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

/// Escapes text for XML.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' => escaped.push(' '),
            // XML cannot represent these characters.
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                escaped.push(char::REPLACEMENT_CHARACTER);
            }
            c => escaped.push(c),
        }
    }
    escaped
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
}
