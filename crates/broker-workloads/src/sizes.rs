//! Sizes of allocations, spread evenly over orders of magnitude.

use fastrand::Rng;

pub(super) const SMALLEST: usize = 16;
pub(super) const LARGEST: usize = 64 * 1024;

/// How many times `SMALLEST` doubles up to `LARGEST`.
const OCTAVES: u32 = (LARGEST / SMALLEST).ilog2();

/// Returns a size between `SMALLEST` and `LARGEST`; each doubling is equally likely.
///
/// Within a doubling, sizes are spread evenly. A true logarithmic spread would
/// need floating-point functions, whose last digit differs between C libraries,
/// and the work would differ with it.
pub(super) fn draw(rng: &mut Rng) -> usize {
    let low = SMALLEST << rng.u32(0..OCTAVES);
    rng.usize(low..=2 * low)
}

/// Returns a buffer of this size. All of it is written, so its pages are in memory.
pub(super) fn buffer(size: usize, byte: u8) -> Vec<u8> {
    std::hint::black_box(vec![byte; size])
}

/// A buffer's part of a checksum: its size and the bytes at both ends.
pub(super) fn digest(buffer: &[u8]) -> u64 {
    let end = |byte: Option<&u8>| u64::from(byte.copied().unwrap_or_default());
    buffer.len() as u64 + end(buffer.first()) + end(buffer.last())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_stay_in_bounds_and_fill_every_doubling_alike() {
        const DRAWS: usize = 120_000;
        let mut rng = Rng::with_seed(1);
        let mut seen = vec![0_usize; OCTAVES as usize];
        for _ in 0..DRAWS {
            let size = draw(&mut rng);
            assert!((SMALLEST..=LARGEST).contains(&size), "{size}");
            let octave = (size / SMALLEST).ilog2().min(OCTAVES - 1);
            seen[octave as usize] += 1;
        }
        let share = DRAWS / seen.len();
        for count in seen {
            assert!(count.abs_diff(share) < share / 10, "{count} of {share}");
        }
    }

    #[test]
    fn a_digest_tells_size_and_content() {
        assert_eq!(digest(&buffer(16, 3)), 16 + 3 + 3);
        assert_eq!(digest(&[]), 0);
    }
}
