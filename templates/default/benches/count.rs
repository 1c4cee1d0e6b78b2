//! Run with `cargo bench`; for the static program, add `--target x86_64-unknown-linux-musl`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};

fn count(criterion: &mut Criterion) {
    let text: String = (0..100_000)
        .map(|n| format!("word{} ", n % 7_919))
        .collect();
    criterion.bench_function("count 100,000 words", |bencher| {
        bencher.iter(|| words::count(black_box(&text)));
    });
}

criterion_group!(benches, count);
criterion_main!(benches);
