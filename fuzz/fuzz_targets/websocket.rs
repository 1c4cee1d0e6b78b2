//! Searches for a client's bytes, and parts of them, that a WebSocket connection reads differently
//! from the model.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| broker_server::fuzz_websocket(input));
