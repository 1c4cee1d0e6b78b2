//! The mathematical functions against a naive reference, and the fused ones against the processor,
//! in a static musl executable.
//!
//! All tests run a second time in a process that uses only the baseline instructions. With
//! `--release`, more numbers are tested.
#![cfg(all(feature = "math", replaced, target_arch = "x86_64"))]

mod again;

use std::arch::asm;
use std::hint::black_box;
use std::sync::LazyLock;

use fast_musl::math;

const INVALID: u32 = 1;
const BY_ZERO: u32 = 4;
const OVERFLOW: u32 = 8;
const UNDERFLOW: u32 = 16;
const INEXACT: u32 = 32;
const ALL: u32 = INVALID | BY_ZERO | OVERFLOW | UNDERFLOW | INEXACT;

/// A thread's rounding mode, as in the processor's register MXCSR.
#[derive(Clone, Copy, Debug)]
enum Mode {
    Nearest = 0,
    Down = 0x2000,
    Up = 0x4000,
    ToZero = 0x6000,
}
const MODES: [Mode; 4] = [Mode::Nearest, Mode::Down, Mode::Up, Mode::ToZero];

fn baseline() -> bool {
    static SET: LazyLock<bool> = LazyLock::new(|| again::features().is_some());
    *SET
}

/// Called by each test before the first function.
fn prepare() {
    if baseline() {
        math::use_baseline();
    }
}

/// Runs all other tests again, without SSE4.1 and FMA.
#[test]
fn all_of_this_with_the_baseline() {
    again::run("baseline");
}

/// Otherwise the other tests would say nothing about real programs.
#[test]
fn symbols_are_ours() {
    macro_rules! assert_ours {
        ($($name:ident),+) => {{
            mod linked {
                unsafe extern "C" {
                    $(pub(super) fn $name();)+
                }
            }
            $(assert_eq!(linked::$name as *const (), math::$name as *const (), stringify!($name));)+
        }};
    }
    assert_ours!(
        fma, fmaf, floor, floorf, ceil, ceilf, trunc, truncf, round, roundf, rint, rintf,
        nearbyint, nearbyintf
    );
}

/// Pseudorandom numbers.
struct Noise(u64);

impl Noise {
    fn bits(&mut self) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ bits >> 31
    }

    fn below(&mut self, n: u64) -> u64 {
        (self.bits() >> 32) % n
    }

    /// Bits in which neighbours are often equal, as often as arbitrary ones.
    fn pattern(&mut self) -> u64 {
        let bits = self.bits();
        match self.below(4) {
            0 => bits,
            1 => bits & self.bits() & self.bits() & self.bits() & self.bits(),
            2 => bits | self.bits() | self.bits() | self.bits() | self.bits(),
            _ => {
                let (from, to) = (self.below(64), self.below(64));
                (u64::MAX << from) ^ (u64::MAX >> to) ^ self.below(4)
            }
        }
    }
}

/// How many random numbers to test.
fn rounds(all: u32) -> u32 {
    if cfg!(debug_assertions) {
        all / 10
    } else {
        all
    }
}

/// Numbers around all thresholds, positive and negative.
fn doubles() -> Vec<f64> {
    let around = [
        f64::MIN_POSITIVE,
        f64::MIN_POSITIVE * f64::MIN_POSITIVE.sqrt(),
        2_f64.powi(-537),
        2_f64.powi(-1000),
        2_f64.powi(-53),
        0.5,
        1.0,
        1.5,
        2.5,
        2_f64.powi(51) + 0.5,
        2_f64.powi(52) - 0.5,
        2_f64.powi(53),
        2_f64.powi(62),
        2_f64.powi(511),
        2_f64.powi(1000),
    ];
    let mut all = vec![0.0, f64::from_bits(1), f64::from_bits(2), f64::from_bits(3)];
    all.extend([
        1.0 / 3.0,
        f64::MAX.next_down(),
        f64::MAX,
        f64::INFINITY,
        f64::NAN,
    ]);
    all.extend(around.iter().flat_map(|x| [x.next_down(), *x, x.next_up()]));
    all.extend(all.clone().iter().map(|x| -x));
    all
}

/// As [`doubles`].
fn singles() -> Vec<f32> {
    let around = [
        f32::MIN_POSITIVE,
        2_f32.powi(-75),
        2_f32.powi(-24),
        0.5,
        1.0,
        1.5,
        2.5,
        2_f32.powi(22) + 0.5,
        2_f32.powi(23) - 0.5,
        2_f32.powi(24),
        2_f32.powi(63),
        2_f32.powi(100),
    ];
    let mut all = vec![0.0, f32::from_bits(1), f32::from_bits(2), f32::from_bits(3)];
    all.extend([
        1.0 / 3.0,
        f32::MAX.next_down(),
        f32::MAX,
        f32::INFINITY,
        f32::NAN,
    ]);
    all.extend(around.iter().flat_map(|x| [x.next_down(), *x, x.next_up()]));
    all.extend(all.clone().iter().map(|x| -x));
    all
}

/// Returns a call's result and the exceptions it raises in this rounding mode. (The call goes
/// through an opaque pointer, because the compiler assumes that modes and flags do not matter to
/// these functions.)
fn with<T>(mode: Mode, call: impl FnOnce() -> T) -> (T, u32) {
    /// A thread's initial state: all exceptions are masked, none was raised.
    const INITIAL: u32 = 0x1f80;
    set_state(INITIAL | mode as u32);
    let result = call();
    let raised = state() & ALL;
    set_state(INITIAL);
    (result, raised)
}

fn state() -> u32 {
    let mut state = 0_u32;
    // SAFETY: it only writes four bytes.
    unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut state) };
    state
}

fn set_state(state: u32) {
    // SAFETY: it reads four bytes, which are a state. With a state other than the initial one, only
    // the tested function is computed.
    unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const state) };
}

/// Equal, with equal signs if they are zero, or both NaN.
fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

// The fused functions.

fn processor_has_fma() -> bool {
    let has = std::arch::is_x86_feature_detected!("fma");
    if !has {
        eprintln!("this processor has no FMA to compare with");
    }
    has
}

fn by_processor(mut x: f64, y: f64, z: f64) -> f64 {
    // SAFETY: the callers have checked that the processor has it.
    unsafe {
        asm!("vfmadd213sd {x}, {y}, {z}", x = inout(xmm_reg) x, y = in(xmm_reg) y, z = in(xmm_reg) z);
    }
    x
}

fn by_processor_single(mut x: f32, y: f32, z: f32) -> f32 {
    // SAFETY: the callers have checked that the processor has it.
    unsafe {
        asm!("vfmadd213ss {x}, {y}, {z}", x = inout(xmm_reg) x, y = in(xmm_reg) y, z = in(xmm_reg) z);
    }
    x
}

/// The exceptions that must match the processor's. Without the instruction, underflow may be
/// missing, and C leaves open whether infinity times zero is invalid if the summand is NaN.
fn of_interest(adds_no_number: bool) -> u32 {
    match (baseline(), adds_no_number) {
        (true, true) => ALL & !UNDERFLOW & !INVALID,
        (true, false) => ALL & !UNDERFLOW,
        (false, _) => ALL,
    }
}

fn assert_fused(x: f64, y: f64, z: f64, mode: Mode) {
    let function = black_box(math::fma as extern "C" fn(f64, f64, f64) -> f64);
    let (expected, should_raise) = with(mode, || by_processor(x, y, z));
    let (result, raised) = with(mode, || function(x, y, z));
    let what = || {
        format!(
            "fma({x:e}, {y:e}, {z:e}), {mode:?}: {result:e}, not {expected:e}, raised {raised:#x}, not {should_raise:#x}"
        )
    };
    assert!(same(result, expected), "{}", what());
    let of_interest = of_interest(z.is_nan());
    assert_eq!(
        raised & of_interest,
        should_raise & of_interest,
        "{}",
        what()
    );
}

fn assert_fused_single(x: f32, y: f32, z: f32, mode: Mode) {
    let function = black_box(math::fmaf as extern "C" fn(f32, f32, f32) -> f32);
    let (expected, should_raise) = with(mode, || by_processor_single(x, y, z));
    let (result, raised) = with(mode, || function(x, y, z));
    let what = || {
        format!(
            "fmaf({x:e}, {y:e}, {z:e}), {mode:?}: {result:e}, not {expected:e}, raised {raised:#x}, not {should_raise:#x}"
        )
    };
    assert!(same(result.into(), expected.into()), "{}", what());
    let of_interest = of_interest(z.is_nan());
    assert_eq!(
        raised & of_interest,
        should_raise & of_interest,
        "{}",
        what()
    );
}

/// Known results, without the processor.
#[test]
fn fuses() {
    prepare();
    let fma = black_box(math::fma as extern "C" fn(f64, f64, f64) -> f64);
    let fmaf = black_box(math::fmaf as extern "C" fn(f32, f32, f32) -> f32);
    let e = f64::EPSILON;
    for (x, y, z, expected) in [
        (2.0, 3.0, 4.0, 10.0),
        // The rounding error of the product is included.
        (1.0 + e, 1.0 - e, -1.0, -e * e),
        (1.0 + e, 1.0 + e, -1.0 - 2.0 * e, e * e),
        // The last bit of a product breaks a tie of the sum.
        (1.0 + e, 1.0 + e, 2_f64.powi(53), 2_f64.powi(53) + 2.0),
        (1.0, 1.0, 2_f64.powi(53), 2_f64.powi(53)),
        // Only the intermediate result is too large.
        (f64::MAX, 2.0, -f64::MAX, f64::MAX),
        (f64::MAX, 2.0, f64::NEG_INFINITY, f64::NEG_INFINITY),
        (f64::MAX, 2.0, f64::MAX, f64::INFINITY),
        // A tie between subnormal numbers, and a value just above it.
        (2_f64.powi(-1000), 2_f64.powi(-75), 0.0, 0.0),
        (
            2_f64.powi(-1000),
            2_f64.powi(-75),
            f64::from_bits(1),
            f64::from_bits(2),
        ),
        (
            2_f64.powi(-1000),
            2_f64.powi(-75) * (1.0 + e),
            0.0,
            f64::from_bits(1),
        ),
        // A product that vanishes has a sign.
        (-2_f64.powi(-1000), 2_f64.powi(-100), 0.0, -0.0),
        (0.0, -1.0, 0.0, 0.0),
        (0.0, -1.0, -0.0, -0.0),
        (1.0, 1.0, -1.0, 0.0),
        (f64::INFINITY, 0.0, 1.0, f64::NAN),
        (f64::INFINITY, 1.0, f64::NEG_INFINITY, f64::NAN),
        (1.0, f64::NAN, 1.0, f64::NAN),
        (1.0, 1.0, f64::NAN, f64::NAN),
    ] {
        let result = fma(x, y, z);
        assert!(
            same(result, expected),
            "fma({x:e}, {y:e}, {z:e}) = {result:e}"
        );
    }
    let e = f32::EPSILON;
    for (x, y, z, expected) in [
        (2.0, 3.0, 4.0, 10.0),
        (1.0 + e, 1.0 - e, -1.0, -e * e),
        // In double precision the sum is rounded to half-way between two numbers, but it is above
        // that.
        (1.0 + e, 1.0 + e, 2_f32.powi(60), 2_f32.powi(60)),
        (4097.0 * e, 4097.0, 16_777_216.0, 16_777_218.0),
        (f32::MAX, 2.0, -f32::MAX, f32::MAX),
        (f32::MAX, 2.0, f32::MAX, f32::INFINITY),
        (-2_f32.powi(-100), 2_f32.powi(-100), 0.0, -0.0),
        (2_f32.powi(-100), 2_f32.powi(-50), 0.0, 0.0),
        (
            2_f32.powi(-100),
            2_f32.powi(-50) * (1.0 + e),
            0.0,
            f32::from_bits(1),
        ),
        (f32::INFINITY, 0.0, 1.0, f32::NAN),
    ] {
        let result = fmaf(x, y, z);
        assert!(
            same(result.into(), f64::from(expected)),
            "fmaf({x:e}, {y:e}, {z:e}) = {result:e}"
        );
    }
}

#[test]
fn fuses_edges_as_the_processor() {
    prepare();
    if !processor_has_fma() {
        return;
    }
    let all = doubles();
    for &x in &all {
        for &y in &all {
            for &z in &all {
                for mode in MODES {
                    assert_fused(x, y, z, mode);
                }
            }
        }
    }
    let all = singles();
    for &x in &all {
        for &y in &all {
            for &z in &all {
                for mode in MODES {
                    assert_fused_single(x, y, z, mode);
                }
            }
        }
    }
}

/// Arbitrary bits, and bits whose third number is near the product: with random exponents one of
/// them vanishes beside the other.
#[test]
fn fuses_noise_as_the_processor() {
    prepare();
    if !processor_has_fma() {
        return;
    }
    let mut noise = Noise(1);
    for _ in 0..rounds(1_000_000) {
        let mode = MODES[usize::try_from(noise.below(4)).expect("it is below 4")];
        let [x, y, z] = [(); 3].map(|()| f64::from_bits(noise.pattern()));
        assert_fused(x, y, z, mode);
        // The sum of the exponents, in ranges from vanishing to infinite.
        let of_product = [50, 1023, 1500, 2990, 1023 + noise.below(1023)];
        let of_product = of_product[usize::try_from(noise.below(5)).expect("it is below 5")];
        let of_x = noise
            .below(2047.min(of_product + 1))
            .max(of_product.saturating_sub(2046));
        let of_z = (of_product + noise.below(230)).saturating_sub(1023 + 115);
        let [x, y, z] = [of_x, of_product - of_x, of_z.min(2046)]
            .map(|exponent| f64::from_bits(noise.pattern() & !(0x7ff << 52) | exponent << 52));
        assert_fused(x, y, z, mode);
        // The product minus its rounded value.
        let exact = -(x * y).clamp(f64::MIN, f64::MAX);
        assert_fused(x, y, exact, mode);
        assert_fused(x, y, exact.next_up(), mode);
    }
    for _ in 0..rounds(1_000_000) {
        let mode = MODES[usize::try_from(noise.below(4)).expect("it is below 4")];
        let pattern = |noise: &mut Noise| {
            u32::try_from(noise.pattern() >> 32).expect("the upper half has 32 bits")
        };
        let [x, y, z] = [(); 3].map(|()| f32::from_bits(pattern(&mut noise)));
        assert_fused_single(x, y, z, mode);
        let of_product =
            [10, 127, 170, 370][usize::try_from(noise.below(4)).expect("it is below 4")];
        let of_x = noise
            .below(255.min(of_product + 1))
            .max(of_product.saturating_sub(254));
        let of_z = (of_product + noise.below(110)).saturating_sub(127 + 55);
        let [x, y, z] = [of_x, of_product - of_x, of_z.min(254)].map(|exponent| {
            let exponent = u32::try_from(exponent).expect("it is below 255");
            f32::from_bits(pattern(&mut noise) & !(0xff << 23) | exponent << 23)
        });
        assert_fused_single(x, y, z, mode);
        let exact = -(x * y).clamp(f32::MIN, f32::MAX);
        assert_fused_single(x, y, exact, mode);
        assert_fused_single(x, y, exact.next_up(), mode);
    }
}

// The functions that round to whole numbers.

/// The direction of rounding.
#[derive(Clone, Copy, Debug)]
enum Way {
    Down,
    Up,
    ToZero,
    HalvesFromZero,
    HalvesToEven,
}

/// The direction for the functions that use the thread's mode.
fn way_of(mode: Mode) -> Way {
    match mode {
        Mode::Nearest => Way::HalvesToEven,
        Mode::Down => Way::Down,
        Mode::Up => Way::Up,
        Mode::ToZero => Way::ToZero,
    }
}

/// Computes with integers.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "below 2^53"
)]
fn naive(x: f64, way: Way) -> f64 {
    if x.is_nan() || x.abs() >= 2_f64.powi(52) {
        return x;
    }
    let whole = x as i64;
    let rest = x - whole as f64;
    let outwards = match way {
        Way::Down => rest < 0.0,
        Way::Up => rest > 0.0,
        Way::ToZero => false,
        Way::HalvesFromZero => rest.abs() >= 0.5,
        Way::HalvesToEven => rest.abs() > 0.5 || rest.abs() >= 0.5 && whole % 2 != 0,
    };
    let step = if x < 0.0 { -1 } else { 1 };
    (if outwards { whole + step } else { whole } as f64).copysign(x)
}

type OfDouble = extern "C" fn(f64) -> f64;
type OfSingle = extern "C" fn(f32) -> f32;

/// Functions with one direction in all modes.
const ONE_WAY: [(&str, OfDouble, OfSingle, Way); 4] = [
    ("floor", math::floor, math::floorf, Way::Down),
    ("ceil", math::ceil, math::ceilf, Way::Up),
    ("trunc", math::trunc, math::truncf, Way::ToZero),
    ("round", math::round, math::roundf, Way::HalvesFromZero),
];

/// Functions that use the mode, and whether they raise inexact.
const WAY_OF_MODE: [(&str, OfDouble, OfSingle, bool); 2] = [
    ("rint", math::rint, math::rintf, true),
    ("nearbyint", math::nearbyint, math::nearbyintf, false),
];

#[test]
fn rounds_doubles() {
    prepare();
    let mut noise = Noise(2);
    let halves = (0..2000).flat_map(|n| {
        let x = f64::from(n) / 2.0;
        [
            x,
            x.next_up(),
            x.next_down(),
            -x,
            (-x).next_up(),
            (-x).next_down(),
        ]
    });
    let noise = (0..rounds(1_000_000)).flat_map(|_| {
        // In the second case, all have some fraction bits.
        let exponent = 1023 - 3 + noise.below(58);
        let bits = noise.pattern();
        [
            f64::from_bits(bits),
            f64::from_bits(bits & !(0x7ff << 52) | exponent << 52),
        ]
    });
    for x in doubles().into_iter().chain(halves).chain(noise) {
        for mode in MODES {
            assert_rounded(x, mode);
        }
    }
}

fn assert_rounded(x: f64, mode: Mode) {
    for (name, function, _, way) in black_box(ONE_WAY) {
        let expected = naive(x, way);
        let (result, raised) = with(mode, || function(x));
        assert!(
            same(result, expected),
            "{name}({x:e}) = {result:e}, {mode:?}"
        );
        // NaN may raise invalid.
        assert!(
            x.is_nan() || raised & !INEXACT == 0,
            "{name}({x:e}), {mode:?}: {raised:#x}"
        );
    }
    for (name, function, _, raises) in black_box(WAY_OF_MODE) {
        let expected = naive(x, way_of(mode));
        let (result, raised) = with(mode, || function(x));
        assert!(
            same(result, expected),
            "{name}({x:e}) = {result:e}, {mode:?}"
        );
        let inexact = if raises && !same(x, expected) {
            INEXACT
        } else {
            0
        };
        assert!(
            x.is_nan() || raised == inexact,
            "{name}({x:e}), {mode:?}: {raised:#x}"
        );
    }
}

/// The instructions do not raise inexact, their replacements do.
#[test]
fn takes_the_instructions() {
    prepare();
    let stands_in = baseline() || !std::arch::is_x86_feature_detected!("sse4.1");
    let expected = if stands_in { INEXACT } else { 0 };
    for (name, double, single, _) in black_box(ONE_WAY) {
        for raised in [
            with(Mode::Nearest, || double(1.25)).1,
            with(Mode::Nearest, || single(1.25)).1,
        ] {
            assert_eq!(raised, expected, "{name}");
        }
    }
}

/// `nearbyint` preserves exceptions raised before.
#[test]
fn keeps_exceptions() {
    prepare();
    let call = black_box(math::nearbyint as OfDouble);
    let call_single = black_box(math::nearbyintf as OfSingle);
    for before in [0, INVALID, INEXACT, ALL] {
        let (results, raised) = with(Mode::Nearest, || {
            set_state(state() | before);
            (call(2.25), call_single(2.25))
        });
        assert_eq!(results, (2.0, 2.0));
        assert_eq!(raised, before);
    }
}

/// Single-precision numbers at even steps through all of them, in all modes.
#[test]
fn rounds_singles() {
    prepare();
    let step = if cfg!(debug_assertions) { 9973 } else { 1999 };
    let edges = singles().into_iter().map(f32::to_bits);
    for bits in (0..=u32::MAX).step_by(step).chain(edges) {
        let x = f32::from_bits(bits);
        for mode in MODES {
            for (name, _, function, way) in black_box(ONE_WAY) {
                assert_rounded_single(name, x, mode, way, function);
            }
            for (name, _, function, _) in black_box(WAY_OF_MODE) {
                assert_rounded_single(name, x, mode, way_of(mode), function);
            }
        }
    }
}

fn assert_rounded_single(name: &str, x: f32, mode: Mode, way: Way, function: OfSingle) {
    let expected = naive(x.into(), way);
    let (result, raised) = with(mode, || function(x));
    assert!(
        same(result.into(), expected),
        "{name}f({x:e}) = {result:e}, {mode:?}"
    );
    let allowed = if name == "nearbyint" { 0 } else { INEXACT };
    assert!(
        x.is_nan() || raised & !allowed == 0,
        "{name}f({x:e}), {mode:?}: {raised:#x}"
    );
}

/// Rust's methods call these functions in programs built for every processor.
#[test]
fn methods() {
    prepare();
    for x in doubles() {
        let x = black_box(x);
        assert!(same(x.floor(), naive(x, Way::Down)));
        assert!(same(x.ceil(), naive(x, Way::Up)));
        assert!(same(x.trunc(), naive(x, Way::ToZero)));
        assert!(same(x.round(), naive(x, Way::HalvesFromZero)));
        assert!(same(x.round_ties_even(), naive(x, Way::HalvesToEven)));
    }
    let e = black_box(f64::EPSILON);
    assert!(same((1.0 + e).mul_add(1.0 - e, -1.0), -e * e));
}
