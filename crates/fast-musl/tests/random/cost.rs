//! Measures a call. `cargo test --release … cost -- --ignored --nocapture`

use std::hint::black_box;
use std::time::Instant;

use crate::tools::draw;

const CALLS: u32 = 200_000;

fn system_call() -> u128 {
    let mut bytes = [0_u8; 16];
    // SAFETY: the buffer has 16 bytes.
    unsafe { libc::syscall(libc::SYS_getrandom, bytes.as_mut_ptr(), bytes.len(), 0) };
    u128::from_ne_bytes(bytes)
}

#[test]
#[ignore = "a measurement"]
fn sixteen_bytes() {
    let sources = [draw, system_call];
    let mut rounds = [Vec::new(), Vec::new()];
    for round in 0..42 {
        for index in [round % 2, 1 - round % 2] {
            let start = Instant::now();
            for _ in 0..CALLS {
                black_box(sources[index]());
            }
            rounds[index].push(start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS));
        }
    }
    for (name, mut times) in ["getrandom", "system call"].into_iter().zip(rounds) {
        times.sort_by(f64::total_cmp);
        let (least, median, most) = (times[0], times[times.len() / 2], times[times.len() - 1]);
        println!("{name}: {median:.1} ns per 16 bytes (median of 42; {least:.1} to {most:.1})");
    }
}
