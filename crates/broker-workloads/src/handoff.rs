//! Memory allocated by one thread and freed by another, as with a message
//! between two connections. Allocators with per-thread caches must return it to
//! the first thread.

use crossbeam::channel::bounded;
use crossbeam::thread::scope;
use fastrand::Rng;

use super::{SEED, joined, sizes};

const BUFFERS: usize = 20_000;
/// How many buffers can wait in the channel. The bound also bounds memory.
const WAITING: usize = 256;

pub(super) fn handoff() -> u64 {
    run(BUFFERS, WAITING)
}

fn run(buffers: usize, waiting: usize) -> u64 {
    let (sender, receiver) = bounded::<Vec<u8>>(waiting);
    joined(scope(|scope| {
        let freeing = scope.spawn(move |_| {
            receiver
                .iter()
                .map(|buffer| sizes::digest(&buffer))
                .sum::<u64>()
        });
        let mut rng = Rng::with_seed(SEED);
        for _ in 0..buffers {
            let size = sizes::draw(&mut rng);
            // It fails only if the other thread has ended, which `join` reports.
            if sender.send(sizes::buffer(size, rng.u8(1..))).is_err() {
                break;
            }
        }
        drop(sender);
        joined(freeing.join())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(buffers: usize) -> u64 {
        let mut rng = Rng::with_seed(SEED);
        (0..buffers)
            .map(|_| {
                let size = sizes::draw(&mut rng) as u64;
                size + 2 * u64::from(rng.u8(1..))
            })
            .sum()
    }

    #[test]
    fn every_buffer_arrives() {
        // A channel of capacity 0 hands over each buffer directly.
        for (buffers, waiting) in [(0, 1), (1, 0), (1_000, 0), (1_000, 3)] {
            assert_eq!(run(buffers, waiting), expected(buffers));
        }
        assert_eq!(handoff(), expected(BUFFERS));
    }
}
