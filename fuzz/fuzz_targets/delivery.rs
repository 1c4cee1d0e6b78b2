//! Searches for actions of clients and an order of the workers' steps with which a
//! subscriber misses a message.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| broker_server::fuzz_delivery(input));
