//! A structure as C has it, by bindgen.

#[allow(
    non_camel_case_types,
    non_upper_case_globals,
    dead_code,
    clippy::all,
    clippy::pedantic
)]
mod c {
    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}

fn main() {
    let mut counter = c::counter {
        total: 40,
        calls: 0,
    };
    // SAFETY: the structure is C's, and whole.
    unsafe { c::counter_add(&raw mut counter, 2) };
    assert_eq!((counter.total, counter.calls), (42, 1));
    println!("bindgen: {counter:?}");
}
