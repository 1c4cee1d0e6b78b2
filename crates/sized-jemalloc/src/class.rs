//! Decides whether two sizes are certainly in the same jemalloc size class.
//!
//! jemalloc rounds a size up to that of its class, and a block has room for
//! exactly that much. Treating two classes as one means writing past the end of
//! a block; treating one class as two costs a copy. So this does not rebuild
//! jemalloc's table, which depends on its build and its options, but uses a
//! grid on whose lines every class of every configuration ends:
//!
//! | sizes | classes end at multiples of | the grid's lines |
//! |---|---|---|
//! | up to 64 | 16 (and at 8), or 8 where the quantum is 8 | 8 |
//! | 2^k to 2^(k+1), up to 16 KiB | 2^(k-2) | 2^(k-2) |
//! | more | 2^(k-2), or a page | 4 KiB |
//!
//! No class ends between two sizes of one cell, so they are in one class.
//! A larger quantum only removes classes. So does a larger page, which is
//! never below 4 KiB: jemalloc refuses to run if its page is smaller than the
//! system's. The option `disable_large_size_classes`, on by default since
//! 5.3.1, replaces the four classes per doubling by whole pages, from 16 KiB
//! (four pages) on. Sizes at an end need no special case: the grid's lines are
//! the last sizes of their cells, as the classes' ends are.
//!
//! Sources: "Size classes" in jemalloc(3), section IMPLEMENTATION NOTES, and
//! `opt.disable_large_size_classes` there; `include/jemalloc/internal/sc.h`
//! (the classes), `sz.h` (`sz_s2u_compute`: from a size to its class),
//! `quantum.h` (the quantum is 8 or 16), of jemalloc 5.3.1.

/// log2 of the smallest quantum.
const LG_QUANTUM: u32 = 3;
/// log2 of the smallest page.
const LG_PAGE: u32 = 12;
/// log2 of the number of classes per doubling.
const LG_GROUP: u32 = 2;

/// Returns whether blocks for the two sizes are certainly equally large, if
/// both were allocated without an alignment (flags 0). Neither may be zero.
pub(crate) const fn same(a: usize, b: usize) -> bool {
    debug_assert!(a != 0 && b != 0);
    // A line belongs to the cell that it ends.
    let (a, b) = (a - 1, b - 1);
    // If they differ in their highest bit, that bit is also set in `a ^ b`,
    // and the shift is below it.
    let lg = match (a | b | 1).ilog2() {
        lg if lg < LG_QUANTUM + LG_GROUP => LG_QUANTUM,
        lg if lg > LG_PAGE + LG_GROUP => LG_PAGE,
        lg => lg - LG_GROUP,
    };
    (a ^ b) >> lg == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allocator::{UNASKED_ALIGN, flags, surely_same_block};
    use std::env;
    use std::process::Command;
    use std::vec::Vec;
    use tikv_jemalloc_sys as ffi;

    const MIB: usize = 1 << 20;

    fn block(size: usize, flags: i32) -> usize {
        // SAFETY: `nallocx` only computes, and the size is not zero.
        unsafe { ffi::nallocx(size, flags) }
    }

    /// Returns the last size in the cell of `size`.
    fn last(size: usize) -> usize {
        let mut step = 1;
        while same(size, size + step) {
            step *= 2;
        }
        let (mut inside, mut outside) = (size + step / 2, size + step);
        while outside - inside > 1 {
            let middle = usize::midpoint(inside, outside);
            if same(size, middle) {
                inside = middle;
            } else {
                outside = middle;
            }
        }
        inside
    }

    /// Returns the first size in the cell of `size`.
    fn first(size: usize) -> usize {
        let (mut outside, mut inside) = (0, size);
        while inside - outside > 1 {
            let middle = usize::midpoint(outside, inside);
            if same(middle, size) {
                inside = middle;
            } else {
                outside = middle;
            }
        }
        inside
    }

    /// Comparing neighbours is enough: a cell has no gaps, and equality is transitive.
    #[test]
    fn every_size_up_to_a_mebibyte_at_every_alignment() {
        for lg_align in 0..=16 {
            let align = 1 << lg_align;
            let mut kept = 0;
            let mut before = block(1, flags(align, 1));
            for size in 1..MIB {
                let after = block(size + 1, flags(align, size + 1));
                if surely_same_block(align, size, size + 1) {
                    assert_eq!(before, after, "{size} + 1, align {align}");
                    kept += 1;
                }
                before = after;
            }
            // Otherwise the test would pass without comparing anything.
            assert_eq!(kept > 0, align <= UNASKED_ALIGN, "align {align}");
        }
    }

    /// jemalloc's rounding is monotonic, so the ends of a cell represent all of it.
    fn check_cell(size: usize) {
        let (first, last) = (first(size), last(size));
        assert!(first <= size && size <= last);
        assert!(same(first, last));
        assert_eq!(block(first, 0), block(last, 0), "{first}..={last}");
        assert!(block(size, 0) >= last, "{size}");
    }

    #[test]
    fn around_every_boundary_up_to_a_tebibyte() {
        for lg in 3..if cfg!(target_pointer_width = "64") {
            40
        } else {
            30
        } {
            let base = 1_usize << lg;
            // Sixteenths: the classes are at quarters, if there are any.
            for sixteenth in 0..16 {
                let middle = base + base / 16 * sixteenth;
                for size in middle.saturating_sub(40).max(1)..=middle + 40 {
                    check_cell(size);
                }
                for page in 1..9 {
                    let line = middle + page * 4096;
                    (line - 2..=line + 2).for_each(check_cell);
                }
            }
        }
    }

    #[test]
    fn sizes_at_random_up_to_a_tebibyte() {
        let mut state = 1_u64;
        for _ in 0..200_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let bits = state >> 58;
            let lg = bits
                % if cfg!(target_pointer_width = "64") {
                    40
                } else {
                    30
                };
            let size = (1 << lg) | ((state >> 12) & ((1 << lg) - 1));
            check_cell(usize::try_from(size).expect("it is below 2^40, or 2^30"));
        }
    }

    /// The grid misses nothing where it would cost: small sizes above 64 bytes.
    #[test]
    fn the_grid_is_no_finer_than_it_must_be() {
        for size in 65..14_336 {
            let together = block(size, 0) == block(size + 1, 0);
            assert_eq!(same(size, size + 1), together, "{size}");
        }
        let ends: Vec<usize> = (1..=64).filter(|&size| !same(size, size + 1)).collect();
        assert_eq!(ends, [8, 16, 24, 32, 40, 48, 56, 64]);
    }

    #[test]
    fn the_largest_sizes_do_not_overflow() {
        assert!(same(usize::MAX, usize::MAX - 1));
        assert!(!same(usize::MAX, 1));
    }

    /// Repeats the tests with both values of the option that changes the classes.
    #[test]
    fn with_large_classes_and_without() {
        for value in ["true", "false"] {
            let options = std::format!("disable_large_size_classes:{value},abort_conf:true");
            let run = Command::new(env::current_exe().expect("this test has a file"))
                .args(["class::", "--skip", "with_large_classes"])
                .env("_RJEM_MALLOC_CONF", options)
                .status();
            assert!(run.expect("it runs").success(), "{value}");
        }
    }
}
