//! libm, which std's floating-point methods call.

use std::hint::black_box;
use std::io;
use std::ops::Range;

use super::{Calls, Cycle, Numbers, Row, repeat};

unsafe extern "C" {
    safe fn fma(x: f64, y: f64, z: f64) -> f64;
    safe fn fmaf(x: f32, y: f32, z: f32) -> f32;
    safe fn pow(x: f64, y: f64) -> f64;
    safe fn powf(x: f32, y: f32) -> f32;
    safe fn atan2(x: f64, y: f64) -> f64;
    safe fn hypot(x: f64, y: f64) -> f64;
    safe fn fmod(x: f64, y: f64) -> f64;
    safe fn sin(x: f64) -> f64;
    safe fn sinf(x: f32) -> f32;
    safe fn cos(x: f64) -> f64;
    safe fn tan(x: f64) -> f64;
    safe fn exp(x: f64) -> f64;
    safe fn expf(x: f32) -> f32;
    safe fn log(x: f64) -> f64;
    safe fn logf(x: f32) -> f32;
    safe fn log2(x: f64) -> f64;
    safe fn log10(x: f64) -> f64;
    safe fn cbrt(x: f64) -> f64;
    safe fn floor(x: f64) -> f64;
    safe fn trunc(x: f64) -> f64;
    safe fn round(x: f64) -> f64;
    safe fn rint(x: f64) -> f64;
}

type Of1<T> = extern "C" fn(T) -> T;
type Of2<T> = extern "C" fn(T, T) -> T;
type Of3<T> = extern "C" fn(T, T, T) -> T;

pub(super) fn rows() -> Vec<Row> {
    let of_one: [(_, Of1<f64>, _); 12] = [
        ("sin", sin, -10.0..10.0),
        ("cos", cos, -10.0..10.0),
        ("tan", tan, -10.0..10.0),
        ("exp", exp, -10.0..10.0),
        ("log", log, 0.1..100.0),
        ("log2", log2, 0.1..100.0),
        ("log10", log10, 0.1..100.0),
        ("cbrt", cbrt, 0.1..100.0),
        ("floor", floor, -100.0..100.0),
        ("trunc", trunc, -100.0..100.0),
        ("round", round, -100.0..100.0),
        ("rint", rint, -100.0..100.0),
    ];
    let of_one_single: [(_, Of1<f32>, _); 3] = [
        ("sinf", sinf, -10.0..10.0),
        ("expf", expf, -10.0..10.0),
        ("logf", logf, 0.1..100.0),
    ];
    let of_two: [(_, Of2<f64>, _); 4] = [
        ("pow", pow, 0.1..10.0),
        ("atan2", atan2, -10.0..10.0),
        ("hypot", hypot, -10.0..10.0),
        ("fmod", fmod, 0.1..100.0),
    ];
    let mut rows = vec![
        Row::cpu("math: fma", || of3(fma, doubles(&(-10.0..10.0)))),
        Row::cpu("math: fmaf", || of3(fmaf, singles(&(-10.0..10.0)))),
        Row::cpu("math: powf", || of2(powf, singles(&(0.1..10.0)))),
    ];
    rows.extend(of_two.map(|(name, function, range)| {
        Row::cpu(format!("math: {name}"), move || {
            of2(function, doubles(&range))
        })
    }));
    rows.extend(of_one.map(|(name, function, range)| {
        Row::cpu(format!("math: {name}"), move || {
            of1(function, doubles(&range))
        })
    }));
    rows.extend(of_one_single.map(|(name, function, range)| {
        Row::cpu(format!("math: {name}"), move || {
            of1(function, singles(&range))
        })
    }));
    rows
}

fn of1<T: Copy + 'static>(function: Of1<T>, mut values: Cycle<T>) -> io::Result<Calls> {
    let function = black_box(function);
    repeat(move || function(values.next()))
}

fn of2<T: Copy + 'static>(function: Of2<T>, mut values: Cycle<T>) -> io::Result<Calls> {
    let function = black_box(function);
    repeat(move || function(values.next(), values.next()))
}

fn of3<T: Copy + 'static>(function: Of3<T>, mut values: Cycle<T>) -> io::Result<Calls> {
    let function = black_box(function);
    repeat(move || function(values.next(), values.next(), values.next()))
}

/// Values of a range in random order, too many for a branch predictor to learn.
fn doubles(range: &Range<f64>) -> Cycle<f64> {
    let mut numbers = Numbers(5);
    Cycle::new((0..4093).map(|_| {
        let part = f64::from(u32::try_from(numbers.below(1 << 30)).unwrap_or_default())
            / f64::from(1 << 30);
        range.start + part * (range.end - range.start)
    }))
}

fn singles(range: &Range<f64>) -> Cycle<f32> {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "any value of the range is suitable"
    )]
    Cycle::new(doubles(range).values.iter().map(|&value| value as f32))
}
