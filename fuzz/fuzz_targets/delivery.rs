//! Looks for what clients do and an order of what workers do by which somebody does not
//! get what is for it.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| broker_server::fuzz_delivery(input));
