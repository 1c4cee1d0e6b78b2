//! Decisions about a picture: the range of its scale, its ticks, the order of bars, and line breaks.

/// The scale never extends beyond this power of two, which would squeeze the other ratios.
const FARTHEST: i32 = 5;
/// One in this many ratios may be beyond either end of the scale.
const OUTLIERS: usize = 20;
/// A ratio this little beyond a power of two counts as that power.
const TOLERANCE: f64 = 0.002;

/// The size of tick texts relative to other texts.
const TICK: f64 = 12.0 / 13.0;

/// A logarithmic scale from one power of two to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scale {
    low: i32,
    high: i32,
}

/// The position of a ratio, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Place {
    Below,
    At(f64),
    Above,
}

impl Place {
    pub(super) fn clipped(self) -> f64 {
        match self {
            Self::Below => 0.0,
            Self::At(place) => place,
            Self::Above => 1.0,
        }
    }
}

impl Scale {
    /// Returns a scale for these ratios except outliers, with some space on both sides of 1.
    pub(super) fn new(ratios: &[f64]) -> Self {
        let reach = |sign: f64| {
            let beyond = |power: &i32| {
                let edge = f64::from(*power) + TOLERANCE;
                let beyond = ratios.iter().filter(|ratio| sign * ratio.log2() > edge);
                beyond.count() <= ratios.len() / OUTLIERS
            };
            (1..FARTHEST).find(beyond).unwrap_or(FARTHEST)
        };
        Self {
            low: -reach(-1.0),
            high: reach(1.0),
        }
    }

    pub(super) fn place(self, ratio: f64) -> Place {
        let (low, high) = (f64::from(self.low), f64::from(self.high));
        let power = ratio.log2();
        if power > high + TOLERANCE {
            Place::Above
        } else if power < low - TOLERANCE {
            Place::Below
        } else {
            Place::At(((power - low) / (high - low)).clamp(0.0, 1.0))
        }
    }

    /// Returns positions and texts of ticks, as many as fit on this length. The tick for 1 is always included.
    pub(super) fn ticks(self, length: f64) -> Vec<(f64, String)> {
        let tick = |power: i32| {
            let ratio = 2_f64.powi(power);
            (self.place(ratio).clipped(), format!("{ratio}x"))
        };
        let powers = |every: i32| {
            (self.low..=self.high)
                .filter(move |power| power % every == 0)
                .map(tick)
        };
        let fits = |every: &i32| {
            let ticks: Vec<_> = powers(*every).collect();
            ticks.windows(2).all(|pair| {
                let way = (pair[1].0 - pair[0].0) * length;
                way >= TICK * f64::midpoint(width_of(&pair[0].1), width_of(&pair[1].1)) + 6.0
            })
        };
        let every = (1..=FARTHEST).find(fits).unwrap_or(FARTHEST + 1);
        powers(every).collect()
    }
}

/// Returns the columns sorted by penalty, smallest first. A penalty is the median of a column's ratios; columns without
/// any come last, and equal ones keep their order.
pub(super) fn order(penalties: &[Vec<f64>]) -> Vec<usize> {
    let middle = |of: &[f64]| {
        crate::statistics::Summary::of(of.iter().copied()).map_or(f64::INFINITY, |all| all.median)
    };
    let mut places: Vec<usize> = (0..penalties.len()).collect();
    places.sort_by(|a, b| middle(&penalties[*a]).total_cmp(&middle(&penalties[*b])));
    places
}

/// Returns the number of panels side by side.
pub(super) fn columns(panels: usize) -> usize {
    match panels {
        0 | 1 => 1,
        2 | 4 => 2,
        _ => 3,
    }
}

/// Breaks text into lines of at most this width, where words allow it.
pub(super) fn wrap(text: &str, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width_of(line) + width_of(" ") + width_of(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Returns the approximate maximum width of a text of 13 pixels; fonts differ. These are the widths of `DejaVu Sans`,
/// which is wider than most, by groups of characters.
pub(super) fn width_of(text: &str) -> f64 {
    let em = |c: char| match c {
        'i' | 'j' | 'l' | '\'' => 0.28,
        ' ' | '.' | ',' | ':' | ';' | '/' | '|' | '-' | 'f' | 'r' | 't' | '(' | ')' | '[' | ']'
        | 'I' | '!' => 0.41,
        's' | 'c' | 'z' | '"' | 'J' => 0.55,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 1.0,
        'A'..='Z' | '+' | '=' | '<' | '>' | '&' | '~' | '#' => 0.8,
        c if c.is_ascii() => 0.64,
        _ => 1.0,
    };
    text.chars().map(em).sum::<f64>() * 13.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_reaches_as_far_as_most_ratios() {
        let many = |ratio: f64, outlier: f64| [vec![ratio; 60], vec![outlier; 3]].concat();
        for (ratios, low, high) in [
            (vec![0.9, 1.1], -1, 1),
            (vec![0.5, 2.0], -1, 1),
            (vec![0.49, 2.1], -2, 2),
            (vec![0.2, 3.0], -3, 2),
            (vec![1e-6, 1e6], -5, 5),
            (vec![], -1, 1),
            // Three of 63 may be beyond it, but not four.
            (many(1.5, 54.0), -1, 1),
            ([many(1.5, 54.0), vec![9.0]].concat(), -1, 4),
            (many(1.5, 0.01), -1, 1),
        ] {
            assert_eq!(Scale::new(&ratios), Scale { low, high }, "{ratios:?}");
        }
    }

    #[test]
    fn ratios_beyond_the_scale_are_clipped() {
        let scale = Scale { low: -1, high: 3 };
        for (ratio, expected) in [
            (0.5, Place::At(0.0)),
            (1.0, Place::At(0.25)),
            (8.0, Place::At(1.0)),
            (8.1, Place::Above),
            (54.0, Place::Above),
            (f64::INFINITY, Place::Above),
            (0.49, Place::Below),
            (0.0, Place::Below),
        ] {
            assert_eq!(scale.place(ratio), expected, "{ratio}");
        }
        assert!((Place::Above.clipped() - 1.0).abs() < 1e-9 && Place::Below.clipped().abs() < 1e-9);
    }

    #[test]
    fn ticks_have_room_and_one_is_among_them() {
        for (low, high, length, expected) in [
            (-2, 2, 400.0, "0.25x 0.5x 1x 2x 4x"),
            (-2, 2, 170.0, "0.25x 0.5x 1x 2x 4x"),
            (-4, 4, 170.0, "0.125x 1x 8x"),
            (-4, 4, 440.0, "0.0625x 0.125x 0.25x 0.5x 1x 2x 4x 8x 16x"),
            (-1, 4, 60.0, "1x 8x"),
            (-4, 4, 10.0, "1x"),
        ] {
            let ticks = Scale { low, high }.ticks(length);
            let texts: Vec<&str> = ticks.iter().map(|(_, text)| &**text).collect();
            assert_eq!(texts.join(" "), expected, "{low} {high} {length}");
        }
        for length in 10..500 {
            let ticks = Scale { low: -4, high: 4 }.ticks(f64::from(length));
            assert!(ticks.iter().any(|(_, text)| text == "1x"));
            for pair in ticks.windows(2) {
                let ends = pair[0].0 * f64::from(length) + TICK * width_of(&pair[0].1) / 2.0;
                let begins = pair[1].0 * f64::from(length) - TICK * width_of(&pair[1].1) / 2.0;
                assert!(ends < begins, "{pair:?} at {length}");
            }
        }
    }

    #[test]
    fn columns_come_by_their_penalty() {
        for (penalties, expected) in [
            (vec![vec![1.0], vec![2.0], vec![0.5]], vec![2, 0, 1]),
            // One row in which it fails does not put a reference last.
            (vec![vec![1.0, 1.0, 1.0], vec![0.7, 0.8, 54.0]], vec![1, 0]),
            (vec![vec![], vec![3.0], vec![3.0]], vec![1, 2, 0]),
            (vec![], vec![]),
        ] {
            assert_eq!(order(&penalties), expected, "{penalties:?}");
        }
    }

    #[test]
    fn panels_fill_their_rows() {
        let counts = [0, 1, 2, 3, 4, 5, 7, 14].map(columns);
        assert_eq!(counts, [1, 1, 2, 3, 2, 3, 3, 3]);
    }

    #[test]
    fn text_is_broken_between_words() {
        for (text, width, expected) in [
            ("short", 100.0, &["short"][..]),
            ("two words", 100.0, &["two words"]),
            ("two words", 50.0, &["two", "words"]),
            ("unbreakable it is", 10.0, &["unbreakable", "it", "is"]),
            ("", 10.0, &[]),
        ] {
            assert_eq!(wrap(text, width), expected, "{text}");
        }
        let lines = wrap(&"some words ".repeat(20), 200.0);
        assert!(
            lines.iter().all(|line| width_of(line) <= 200.0),
            "{lines:?}"
        );
    }

    #[test]
    fn wide_letters_take_more_room() {
        assert!(width_of("ill") < width_of("abc") && width_of("abc") < width_of("MWm"));
        assert!(width_of("").abs() < 1e-9);
    }
}
