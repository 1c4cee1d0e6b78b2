//! From values to positions.

/// A linear scale from zero on.
#[derive(Debug)]
pub(super) struct Linear {
    start: f64,
    length: f64,
    step: f64,
    steps: u32,
}

impl Linear {
    /// For values up to `largest`, with round numbers at its ticks.
    pub(super) fn new(largest: f64, start: f64, length: f64) -> Self {
        let largest = if largest > 0.0 { largest } else { 1.0 };
        let rough = largest / 5.0;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|factor| factor * power)
            .into_iter()
            // A little below counts as reached: these are no exact numbers.
            .find(|step| *step >= rough * 0.999)
            .unwrap_or(10.0 * power);
        let steps = (1..12)
            .find(|&steps| f64::from(steps) * step >= largest * 0.999)
            .unwrap_or(12);
        Self {
            start,
            length,
            step,
            steps,
        }
    }

    pub(super) fn at(&self, value: f64) -> f64 {
        self.start + self.length * value / (self.step * f64::from(self.steps))
    }

    /// Positions and texts of the ticks.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let decimals = (0..6)
            .find(|&decimals| self.step * 10_f64.powi(decimals) >= 0.999)
            .unwrap_or(6);
        let decimals = usize::try_from(decimals).unwrap_or_default();
        (0..=self.steps)
            .map(|tick| f64::from(tick) * self.step)
            .map(|value| (self.at(value), format!("{value:.decimals$}")))
            .collect()
    }
}

/// A scale on which doubling is always the same way.
#[derive(Debug)]
pub(super) struct Doubling {
    start: f64,
    length: f64,
    low: i32,
    high: i32,
}

/// Ratios beyond these powers of two are drawn at the edge.
const FARTHEST: i32 = 8;

impl Doubling {
    /// For ratios between these, and one.
    pub(super) fn new(smallest: f64, largest: f64, start: f64, length: f64) -> Self {
        let power = |powers: std::ops::RangeInclusive<i32>, enough: &dyn Fn(f64) -> bool| {
            powers
                .clone()
                .find(|&power| enough(2_f64.powi(power.abs())))
                .unwrap_or(*powers.end())
        };
        let low = power(1..=FARTHEST, &|factor| factor * smallest >= 0.999);
        let high = power(1..=FARTHEST, &|factor| factor >= largest * 0.999);
        Self {
            start,
            length,
            low: -low,
            high,
        }
    }

    pub(super) fn at(&self, ratio: f64) -> f64 {
        let (low, high) = (f64::from(self.low), f64::from(self.high));
        let place = ratio.max(f64::MIN_POSITIVE).log2().clamp(low, high);
        self.start + self.length * (place - low) / (high - low)
    }

    /// Positions and texts of the ticks, as many as have room.
    pub(super) fn ticks(&self, room: f64) -> Vec<(f64, String)> {
        let each = self.length / f64::from(self.high - self.low);
        let every = (1..=2 * FARTHEST)
            .find(|&every| each * f64::from(every) >= room)
            .unwrap_or(1);
        (self.low..=self.high)
            .filter(|power| power % every == 0)
            .map(|power| {
                let factor = 2_f64.powi(power.abs());
                // As a decimal fraction, a small ratio is wider than its place.
                let text = if power < 0 {
                    format!("1/{factor}x")
                } else {
                    format!("{factor}x")
                };
                (self.at(2_f64.powi(power)), text)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(ticks: Vec<(f64, String)>) -> Vec<String> {
        ticks.into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round_and_reach_the_largest() {
        for (largest, expected) in [
            (9.4, "0 2 4 6 8 10"),
            (145.9, "0 50 100 150"),
            (0.31, "0.0 0.1 0.2 0.3 0.4"),
            (10.0, "0 2 4 6 8 10"),
            (0.0, "0.0 0.2 0.4 0.6 0.8 1.0"),
        ] {
            let scale = Linear::new(largest, 100.0, 400.0);
            assert_eq!(texts(scale.ticks()).join(" "), expected, "{largest}");
            assert!(scale.at(largest) <= 500.5);
        }
    }

    #[test]
    fn doubling_keeps_one_on_the_scale() {
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        let scale = Doubling::new(0.9, 1.1, 0.0, 200.0);
        assert!(near(scale.at(1.0), 100.0) && near(scale.at(0.5), 0.0));
        assert_eq!(texts(scale.ticks(30.0)), ["1/2x", "1x", "2x"]);
        let scale = Doubling::new(0.4, 9.2, 0.0, 120.0);
        assert_eq!(texts(scale.ticks(30.0)), ["1/4x", "1x", "4x", "16x"]);
        let scale = Doubling::new(0.0, f64::INFINITY, 0.0, 160.0);
        assert!(near(scale.at(0.0), 0.0) && near(scale.at(1e9), 160.0));
    }
}
