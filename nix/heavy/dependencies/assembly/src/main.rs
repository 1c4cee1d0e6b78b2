//! Assembly of other people's: BLAKE3's, and the switch of stacks in stacker.

fn depth(n: u64) -> u64 {
    stacker::maybe_grow(
        64 << 10,
        1 << 20,
        || if n == 0 { 0 } else { 1 + depth(n - 1) },
    )
}

fn main() {
    let hash = blake3::hash(&vec![7; 1 << 20]);
    let mut hasher = blake3::Hasher::new();
    for part in vec![7; 1 << 20].chunks(1000) {
        hasher.update(part);
    }
    assert_eq!(hash, hasher.finalize());
    assert_eq!(depth(100_000), 100_000);
    println!("assembly: {}", &hash.to_hex()[..16]);
}
