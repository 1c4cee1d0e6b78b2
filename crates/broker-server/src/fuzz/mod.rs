//! Fuzz test of routing and delivery: the input decides what clients do and which worker runs when,
//! and a simple model decides what each client may get.
//!
//! The first byte chooses between two modes. In the first, each frame is settled before the next
//! one, and the model knows the exact output except the choice among queue group members
//! ([`exact`]). In the second, frames wait, turns end early and mail is read late, and the model
//! checks invariants that hold in any order ([`bounds`]).

mod bounds;
mod driver;
mod exact;
mod history;
mod stream;

use driver::Driver;
use history::History;
use stream::Event;

/// Runs a server with the input.
///
/// # Panics
///
/// If a client's output is wrong.
pub(super) fn check(input: &[u8]) {
    let (history, outputs) = Driver::run(input);
    let judged = judge(&history, &outputs);
    if let Err(error) = judged {
        panic!("{error}\n{history}");
    }
}

fn judge(history: &History, outputs: &[Vec<u8>]) -> Result<(), String> {
    let mut streams = Vec::new();
    for (client, output) in outputs.iter().enumerate() {
        let events = stream::parse(output, history, client);
        streams.push(events.map_err(|error| format!("client {client}: {error}"))?);
    }
    let all = streams.iter().flatten();
    let delivered = all.filter(|event| matches!(event, Event::Message { .. }));
    let counts = (history.published() as u64, delivered.count() as u64);
    if counts != history.counted {
        return Err(format!("{counts:?} counted as {:?}", history.counted));
    }
    if history.exact {
        exact::check(history, &streams)
    } else {
        bounds::check(history, &streams)
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn the_corpus_and_random_inputs_match_the_model() {
        // Cargo runs tests in the package's folder.
        let corpus = std::path::Path::new("../../fuzz/corpus/delivery");
        let mut count = 0;
        for entry in std::fs::read_dir(corpus).expect("it is there") {
            let path = entry.expect("it can be read").path();
            eprintln!("{}", path.display());
            check(&std::fs::read(&path).expect("it is a file"));
            count += 1;
        }
        assert!(count > 10, "{count}");
        for seed in 0..400 {
            eprintln!("seed {seed}");
            let mut random = fastrand::Rng::with_seed(seed);
            let mut input = vec![0; random.usize(..600)];
            random.fill(&mut input);
            check(&input);
        }
    }
}
