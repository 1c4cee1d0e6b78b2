//! Collections that grow by one element at a time: reallocation, up to sizes
//! that allocators take directly from the operating system.

use std::hint::black_box;

const NUMBERS: u64 = 1_000_000;
const CHARS: u64 = 1_000_000;

pub(super) fn growth() -> u64 {
    numbers(NUMBERS) + text(CHARS)
}

fn numbers(count: u64) -> u64 {
    let mut numbers = Vec::new();
    for number in 0..count {
        numbers.push(number);
    }
    black_box(numbers).iter().sum()
}

fn text(count: u64) -> u64 {
    let mut text = String::new();
    for c in ('a'..='z').cycle().zip(0..count).map(|(c, _)| c) {
        text.push(c);
    }
    black_box(text).bytes().map(u64::from).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_what_was_pushed() {
        assert_eq!(numbers(0), 0);
        assert_eq!(numbers(5), 1 + 2 + 3 + 4);
        assert_eq!(text(0), 0);
        assert_eq!(text(27), (97..=122).sum::<u64>() + 97);
    }

    #[test]
    fn the_whole_checksum() {
        let alphabet: u64 = (97..=122).sum();
        let rest = (97..=122).take((CHARS % 26) as usize).sum::<u64>();
        let expected = NUMBERS * (NUMBERS - 1) / 2 + CHARS / 26 * alphabet + rest;
        assert_eq!(growth(), expected);
    }
}
