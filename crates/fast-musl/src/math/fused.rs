//! Fused multiply-add without FMA3.

const SIGN: u64 = 1 << 63;
const INFINITY: u64 = 0x7ff << 52;
/// The exponent of the last bit of a number that is not divided by a power of two yet.
const BIAS: i32 = 1075;
/// The position of the first bit of a sum before it is rounded.
const FIRST: i32 = 61;
/// The exponent of the last bit of a sum that becomes subnormal: rounding clears ten bits, of which
/// the next is the last of a subnormal number.
const SUBNORMAL: i32 = -1074 - 10;

/// `x * y + z` in the current rounding mode.
///
/// The sum is exact in 128 bits, except for bits so low that only their presence makes a
/// difference. 62 bits of it are converted to floating point, the last of which represents all bits
/// that are cut off: this conversion rounds.
pub(super) extern "C" fn double(x: f64, y: f64, z: f64) -> f64 {
    if is_special(x) || is_special(y) {
        return x * y + z;
    }
    if is_special(z) {
        // A product that vanishes keeps its sign when zero is added. A product that is too large is
        // finite when infinity is added.
        return if z == 0.0 { x * y } else { z + z };
    }
    let ((x_bits, x_exponent), (y_bits, y_exponent)) = (parts(x), parts(y));
    let (z_bits, z_exponent) = parts(z);
    let mut negative = (x.to_bits() ^ y.to_bits()) & SIGN != 0;
    let opposite = negative != (z.to_bits() & SIGN != 0);

    // The product has its first bit at 124 or 125. The other number is brought to the same
    // exponent.
    let mut product = u128::from(x_bits).wrapping_mul(u128::from(y_bits)) << 20;
    let mut exponent = x_exponent.wrapping_add(y_exponent).wrapping_sub(20);
    let mut other = u128::from(z_bits);
    let distance = z_exponent.wrapping_sub(exponent);
    if distance <= 0 {
        other = shifted(other, distance.wrapping_neg());
    } else {
        let within = if distance > 73 { 73 } else { distance };
        other = shifted_left(z_bits, within.cast_unsigned());
        let beyond = distance.wrapping_sub(within);
        product = shifted(product, beyond);
        exponent = exponent.wrapping_add(beyond);
    }
    let sum = if !opposite {
        product.wrapping_add(other)
    } else if product >= other {
        product.wrapping_sub(other)
    } else {
        negative = !negative;
        other.wrapping_sub(product)
    };
    if sum == 0 {
        // The product is exact. The sign of a zero sum depends on the rounding mode.
        return x * y + z;
    }

    let above = 127_i32
        .wrapping_sub(sum.leading_zeros().cast_signed())
        .wrapping_sub(FIRST);
    exponent = exponent.wrapping_add(above);
    let sum = if above > 0 {
        shifted(sum, above)
    } else {
        shifted_left(low(sum), above.wrapping_neg().cast_unsigned())
    };
    let sum = low(sum);
    if exponent > SUBNORMAL {
        let half = exponent >> 1;
        return rounded(sum, negative) * power(half) * power(exponent.wrapping_sub(half));
    }
    // One more bit in front leaves as many bits for the others as there are. Removing it is exact,
    // and the rest is multiplied exactly.
    let sum = low(shifted(sum.into(), SUBNORMAL.wrapping_sub(exponent)));
    let front = rounded(1 << (FIRST + 1), negative);
    let rest = rounded(sum | 1 << (FIRST + 1), negative) - front;
    let result = rest * power(SUBNORMAL / 2) * power(SUBNORMAL / 2);
    f64::from_bits(result.to_bits() & !SIGN | if negative { SIGN } else { 0 })
}

/// `x * y + z` in the current rounding mode.
///
/// In double precision the product is exact, and the sum is rounded. The rounding error is computed
/// (Knuth's sum of two). If it is not zero, the last bit is made odd, towards the error, so that
/// rounding to single precision cannot take the sum for one half-way between two (Boldo and
/// Melquiond, "Emulation of a FMA and correctly rounded sums: proved algorithms using rounding to
/// odd", IEEE Transactions on Computers 57, 2008).
pub(super) extern "C" fn single(x: f32, y: f32, z: f32) -> f32 {
    let (product, z) = (f64::from(x) * f64::from(y), f64::from(z));
    let mut sum = product + z;
    // An infinity has no rounding error, and computing it would raise invalid.
    if sum.to_bits() & INFINITY != INFINITY {
        let of_z = sum - product;
        let lost = (product - (sum - of_z)) + (z - of_z);
        if lost != 0.0 && sum.to_bits() & 1 == 0 {
            let outwards = (lost > 0.0) == (sum > 0.0);
            sum = f64::from_bits(if outwards {
                sum.to_bits().wrapping_add(1)
            } else {
                sum.to_bits().wrapping_sub(1)
            });
        }
    }
    #[allow(clippy::cast_possible_truncation, reason = "it should be rounded")]
    let rounded = sum as f32;
    rounded
}

/// Returns whether the number is zero, infinite or NaN.
fn is_special(x: f64) -> bool {
    (x.to_bits() & !SIGN).wrapping_sub(1) >= INFINITY - 1
}

/// Returns 53 bits with the first bit set, and the exponent of the last.
fn parts(x: f64) -> (u64, i32) {
    const HIDDEN: u64 = 1 << 52;
    let bits = x.to_bits() & !SIGN;
    if bits < HIDDEN {
        let zeros = bits.leading_zeros().wrapping_sub(11);
        let exponent = (1 - BIAS).wrapping_sub(zeros.cast_signed());
        return (bits.wrapping_shl(zeros), exponent);
    }
    #[allow(clippy::cast_possible_truncation, reason = "it has eleven bits")]
    let exponent = (bits >> 52) as i32;
    (bits & (HIDDEN - 1) | HIDDEN, exponent.wrapping_sub(BIAS))
}

// A build for size would call functions for 128-bit shifts.

/// `bits` times a power of two below 2^128.
fn shifted_left(bits: u64, by: u32) -> u128 {
    let (low, high) = match by {
        0 => (bits, 0),
        1..64 => (
            bits.wrapping_shl(by),
            bits.wrapping_shr(64_u32.wrapping_sub(by)),
        ),
        _ => (0, bits.wrapping_shl(by)),
    };
    u128::from(high) << 64 | u128::from(low)
}

/// `bits` without the last `by` bits. If one of these is set, so is the last remaining bit.
fn shifted(bits: u128, by: i32) -> u128 {
    let (lower, upper, by) = (low(bits), low(bits >> 64), by.cast_unsigned());
    let back = 64_u32.wrapping_sub(by);
    let (lower, upper, lost) = match by {
        0 => return bits,
        1..64 => (
            lower.wrapping_shr(by) | upper.wrapping_shl(back),
            upper.wrapping_shr(by),
            lower.wrapping_shl(back),
        ),
        64 => (upper, 0, lower),
        65..128 => (upper.wrapping_shr(by), 0, lower | upper.wrapping_shl(back)),
        _ => (0, 0, lower | upper),
    };
    u128::from(upper) << 64 | u128::from(lower | u64::from(lost != 0))
}

/// The last 64 bits.
fn low(bits: u128) -> u64 {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the truncation is intended"
    )]
    let low = bits as u64;
    low
}

/// Converts a number of less than 63 bits in the current rounding mode.
fn rounded(bits: u64, negative: bool) -> f64 {
    let bits = bits.cast_signed();
    #[allow(clippy::cast_precision_loss, reason = "it should be rounded")]
    let rounded = (if negative { bits.wrapping_neg() } else { bits }) as f64;
    rounded
}

/// A power of two that is a normal number.
fn power(exponent: i32) -> f64 {
    let exponent = exponent.wrapping_add(1023);
    f64::from_bits(u64::from(exponent.cast_unsigned()) << 52)
}
