//! Rounding to whole numbers without SSE4.1, by conversion to an integer and back.

use core::arch::asm;

/// Defines the functions for a type, given its bits, an integer type that holds all of its numbers
/// with a fraction, and the first power of two from which on all its numbers are whole.
macro_rules! functions {
    ($module:ident: $float:ident, $bits:ident, $integer:ident, $whole:literal) => {
        pub(super) mod $module {
            use super::asm;

            const SIGN: $bits = 1 << ($bits::BITS - 1);

            #[inline(always)]
            fn magnitude(x: $float) -> $float {
                $float::from_bits(x.to_bits() & !SIGN)
            }

            /// `x` with the sign of `sign`.
            #[inline(always)]
            fn signed(x: $float, sign: $float) -> $float {
                $float::from_bits(x.to_bits() & !SIGN | sign.to_bits() & SIGN)
            }

            /// Returns whether `x` may have a fraction. Infinities and NaN have none.
            #[inline(always)]
            fn has_fraction(x: $float) -> bool {
                magnitude(x) < $whole
            }

            /// `x` without its fraction, for numbers that may have one.
            #[inline(always)]
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_precision_loss,
                reason = "the fraction should be cut off, and the rest has few bits"
            )]
            fn cut(x: $float) -> $float {
                x as $integer as $float
            }

            pub(crate) extern "C" fn trunc(x: $float) -> $float {
                if has_fraction(x) { signed(cut(x), x) } else { x }
            }

            pub(crate) extern "C" fn floor(x: $float) -> $float {
                if !has_fraction(x) {
                    return x;
                }
                let whole = cut(x);
                signed(if whole > x { whole - 1.0 } else { whole }, x)
            }

            pub(crate) extern "C" fn ceil(x: $float) -> $float {
                if !has_fraction(x) {
                    return x;
                }
                let whole = cut(x);
                signed(if whole < x { whole + 1.0 } else { whole }, x)
            }

            /// `x` rounded, where `whole` is `x` without its fraction.
            ///
            /// Adding nearly a half before cutting would be shorter, but wrong if the thread does
            /// not round to the nearest. Here every step is exact.
            #[inline(always)]
            pub(crate) fn rounded(x: $float, whole: $float) -> $float {
                if !has_fraction(x) {
                    return x;
                }
                let up = if magnitude(x - whole) >= 0.5 { 1.0 } else { 0.0 };
                whole + signed(up, x)
            }

            pub(crate) extern "C" fn round(x: $float) -> $float {
                rounded(x, trunc(x))
            }

            pub(crate) extern "C" fn rint(x: $float) -> $float {
                if has_fraction(x) { nearest(x) } else { x }
            }

            /// Rounds in the current mode: the sum has no bits for a fraction.
            #[inline(always)]
            fn nearest(x: $float) -> $float {
                let whole = signed($whole, x);
                signed(x + whole - whole, x)
            }

            pub(crate) extern "C" fn nearbyint(mut x: $float) -> $float {
                if !has_fraction(x) {
                    return x;
                }
                let mut state = 0_u32;
                // SAFETY: the floating-point control register is saved and restored, including the
                // exceptions. `x` passes through both, so the sums stay between them.
                unsafe {
                    asm!(
                        "stmxcsr [{state}] /* {x} */",
                        state = in(reg) &raw mut state, x = inlateout(xmm_reg) x,
                        options(nostack)
                    );
                    x = nearest(x);
                    asm!(
                        "ldmxcsr [{state}] /* {x} */",
                        state = in(reg) &raw const state, x = inlateout(xmm_reg) x,
                        options(nostack)
                    );
                }
                x
            }
        }
    };
}

functions!(double: f64, u64, i64, 4_503_599_627_370_496.0);
functions!(single: f32, u32, i32, 8_388_608.0);
