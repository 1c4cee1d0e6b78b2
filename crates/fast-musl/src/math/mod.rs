//! `fma`, `floor`, `ceil`, `trunc`, `round`, `rint` and `nearbyint` instead of musl's, and the same
//! for `float`.
//!
//! Rust's methods with these names call them in programs built for every `x86_64` processor: the
//! instructions came with SSE4.1 and FMA3. musl is built for every processor too and has integer
//! code for each. The functions here are one instruction if the processor has it, as in glibc.
//!
//! On aarch64 the instructions are part of the baseline. The compiler uses them instead of calls,
//! and musl's functions consist of them, so there is nothing to replace.
//!
//! # Exceptions and rounding
//!
//! `rint`, `nearbyint` and the fused functions use the calling thread's rounding mode. All
//! functions raise the exceptions that C requires, except that the fused functions do not raise
//! underflow without the instruction. `floor`, `ceil`, `trunc` and `round` raise inexact only
//! without the instruction, which C leaves open.
//!
//! What `memory` says about thread-local storage, tables of pointers and core applies here too.
#![cfg(target_arch = "x86_64")]
#![allow(
    clippy::inline_always,
    reason = "a call costs more than the instruction"
)]

mod fused;
mod whole;

use core::arch::asm;

use crate::cpu::Features;

note!("math");

use self::whole::{double, single};

/// For the tests: from now on this program's functions use only the baseline instructions.
pub fn use_baseline() {
    crate::cpu::forget();
}

/// Uses one instruction if the processor has it, otherwise a function.
///
/// The function is out of line, so its registers need not be saved before the test.
macro_rules! instruction {
    (
        $features:ident.$has:ident(), $instruction:expr,
        $($otherwise:ident)::+($($argument:ident: $float:ty),+) -> $result:ty
    ) => {{
        #[inline(never)]
        extern "C" fn otherwise($($argument: $float),+) -> $result {
            if Features::get().$has() {
                // SAFETY: the processor has the instruction.
                unsafe { $instruction }
            } else {
                $($otherwise)::+($($argument),+)
            }
        }

        if let Some($features) = Features::known()
            && $features.$has()
        {
            // SAFETY: the processor has the instruction.
            unsafe { $instruction }
        } else {
            otherwise($($argument),+)
        }
    }};
}

/// `x * y + z`, rounded once.
#[unsafe(no_mangle)]
pub extern "C" fn fma(x: f64, y: f64, z: f64) -> f64 {
    instruction!(
        features.fma(),
        fused_double(x, y, z),
        fused::double(x: f64, y: f64, z: f64) -> f64
    )
}

/// `x * y + z`, rounded once.
#[unsafe(no_mangle)]
pub extern "C" fn fmaf(x: f32, y: f32, z: f32) -> f32 {
    instruction!(
        features.fma(),
        fused_single(x, y, z),
        fused::single(x: f32, y: f32, z: f32) -> f32
    )
}

/// The greatest whole number that is not above `x`.
#[unsafe(no_mangle)]
pub extern "C" fn floor(x: f64) -> f64 {
    instruction!(
        features.sse4_1(),
        whole_double::<DOWN>(x),
        double::floor(x: f64) -> f64
    )
}

/// The greatest whole number that is not above `x`.
#[unsafe(no_mangle)]
pub extern "C" fn floorf(x: f32) -> f32 {
    instruction!(
        features.sse4_1(),
        whole_single::<DOWN>(x),
        single::floor(x: f32) -> f32
    )
}

/// The least whole number that is not below `x`.
#[unsafe(no_mangle)]
pub extern "C" fn ceil(x: f64) -> f64 {
    instruction!(
        features.sse4_1(),
        whole_double::<UP>(x),
        double::ceil(x: f64) -> f64
    )
}

/// The least whole number that is not below `x`.
#[unsafe(no_mangle)]
pub extern "C" fn ceilf(x: f32) -> f32 {
    instruction!(
        features.sse4_1(),
        whole_single::<UP>(x),
        single::ceil(x: f32) -> f32
    )
}

/// `x` without its fraction.
#[unsafe(no_mangle)]
pub extern "C" fn trunc(x: f64) -> f64 {
    instruction!(
        features.sse4_1(),
        whole_double::<TO_ZERO>(x),
        double::trunc(x: f64) -> f64
    )
}

/// `x` without its fraction.
#[unsafe(no_mangle)]
pub extern "C" fn truncf(x: f32) -> f32 {
    instruction!(
        features.sse4_1(),
        whole_single::<TO_ZERO>(x),
        single::trunc(x: f32) -> f32
    )
}

/// The nearest whole number; a tie goes away from zero.
#[unsafe(no_mangle)]
pub extern "C" fn round(x: f64) -> f64 {
    instruction!(
        features.sse4_1(),
        double::rounded(x, whole_double::<TO_ZERO>(x)),
        double::round(x: f64) -> f64
    )
}

/// The nearest whole number; a tie goes away from zero.
#[unsafe(no_mangle)]
pub extern "C" fn roundf(x: f32) -> f32 {
    instruction!(
        features.sse4_1(),
        single::rounded(x, whole_single::<TO_ZERO>(x)),
        single::round(x: f32) -> f32
    )
}

/// `x` rounded to a whole number in the current rounding mode.
#[unsafe(no_mangle)]
pub extern "C" fn rint(x: f64) -> f64 {
    instruction!(
        features.sse4_1(),
        whole_double::<CURRENT>(x),
        double::rint(x: f64) -> f64
    )
}

/// `x` rounded to a whole number in the current rounding mode.
#[unsafe(no_mangle)]
pub extern "C" fn rintf(x: f32) -> f32 {
    instruction!(
        features.sse4_1(),
        whole_single::<CURRENT>(x),
        single::rint(x: f32) -> f32
    )
}

/// [`rint`] without raising inexact.
#[unsafe(no_mangle)]
pub extern "C" fn nearbyint(x: f64) -> f64 {
    instruction!(
        features.sse4_1(),
        whole_double::<{ CURRENT | QUIET }>(x),
        double::nearbyint(x: f64) -> f64
    )
}

/// [`rintf`] without raising inexact.
#[unsafe(no_mangle)]
pub extern "C" fn nearbyintf(x: f32) -> f32 {
    instruction!(
        features.sse4_1(),
        whole_single::<{ CURRENT | QUIET }>(x),
        single::nearbyint(x: f32) -> f32
    )
}

// The instructions' operand for the rounding mode.

const DOWN: i32 = 1 | QUIET;
const UP: i32 = 2 | QUIET;
const TO_ZERO: i32 = 3 | QUIET;
/// The thread's mode.
const CURRENT: i32 = 4;
/// Does not raise inexact.
const QUIET: i32 = 8;

/// # Safety
///
/// The processor must have SSE4.1.
#[inline(always)]
unsafe fn whole_double<const HOW: i32>(mut x: f64) -> f64 {
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "roundsd {x}, {x}, {how}", x = inlateout(xmm_reg) x, how = const HOW,
            options(pure, nomem, nostack)
        );
    }
    x
}

/// # Safety
///
/// The processor must have SSE4.1.
#[inline(always)]
unsafe fn whole_single<const HOW: i32>(mut x: f32) -> f32 {
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "roundss {x}, {x}, {how}", x = inlateout(xmm_reg) x, how = const HOW,
            options(pure, nomem, nostack)
        );
    }
    x
}

/// # Safety
///
/// The processor must have FMA3, and the system must save the registers of AVX.
#[inline(always)]
unsafe fn fused_double(mut x: f64, y: f64, z: f64) -> f64 {
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "vfmadd213sd {x}, {y}, {z}",
            x = inlateout(xmm_reg) x, y = in(xmm_reg) y, z = in(xmm_reg) z,
            options(pure, nomem, nostack)
        );
    }
    x
}

/// # Safety
///
/// The processor must have FMA3, and the system must save the registers of AVX.
#[inline(always)]
unsafe fn fused_single(mut x: f32, y: f32, z: f32) -> f32 {
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "vfmadd213ss {x}, {y}, {z}",
            x = inlateout(xmm_reg) x, y = in(xmm_reg) y, z = in(xmm_reg) z,
            options(pure, nomem, nostack)
        );
    }
    x
}
