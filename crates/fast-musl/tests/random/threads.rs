//! Many threads, at once and one after another.

use std::cell::Cell;
use std::sync::Barrier;
use std::thread;

use crate::tools::{assert_distinct, draw, fill, isolated, states_kib, vdso_answers};

#[test]
fn eight_threads_never_draw_the_same() {
    const EACH: usize = 1_250_000;
    let draw = || {
        let (bytes, result) = fill::<8>(0);
        assert_eq!(result, 8);
        u64::from_ne_bytes(bytes)
    };
    let mut values = vec![0_u64; 8 * EACH];
    thread::scope(|scope| {
        for part in values.chunks_mut(EACH) {
            scope.spawn(move || part.fill_with(draw));
        }
    });
    // 10^7 values of 64 bits repeat by chance in one of 370,000 runs.
    assert_distinct(values);
}

#[test]
fn more_threads_at_once_than_states_in_a_block() {
    let barrier = Barrier::new(300);
    let mut values = vec![[0_u128; 100]; 300];
    thread::scope(|scope| {
        for part in &mut values {
            scope.spawn(|| {
                part[0] = draw();
                barrier.wait();
                part[1..].fill_with(draw);
                barrier.wait();
            });
        }
    });
    assert_distinct(values.concat());
}

/// Draws once more at the end of its thread, before or after the thread's state was released.
struct AtTheEnd(Cell<u128>);

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        self.0.set(draw());
    }
}

thread_local!(static AT_THE_END: AtTheEnd = const { AtTheEnd(Cell::new(0)) });

#[test]
fn ten_thousand_threads_give_their_states_back() {
    isolated(
        "threads::ten_thousand_threads_give_their_states_back",
        || {
            let wave = || {
                thread::scope(|scope| {
                    for _ in 0..20 {
                        scope.spawn(|| AT_THE_END.with(|end| end.0.set(draw())));
                    }
                });
            };
            wave();
            let before = (states_kib(), mappings());
            for _ in 0..500 {
                wave();
            }
            let after = (states_kib(), mappings());
            println!("KiB of states, mappings: {before:?} before, {after:?} after");
            assert_eq!(before.0, after.0, "states leak");
            // Stacks of threads that are about to be unmapped may come and go.
            assert!(after.1 <= before.1 + 8, "mappings: {before:?}, {after:?}");
            if vdso_answers("threads give their states back") {
                assert!(before.0 > 0, "the vDSO is not used");
            }
        },
    );
}

fn mappings() -> usize {
    let text = std::fs::read_to_string("/proc/self/maps").expect("/proc is there");
    text.lines().count()
}
