//! C++ with threads, containers, streams, and an exception that becomes an error of Rust.

#[cxx::bridge]
mod ffi {
    unsafe extern "C++" {
        include!("uses-cxx/src/words.h");
        fn count_words(text: &str, threads: u32) -> u64;
        fn fail(message: &str) -> Result<()>;
    }
}

fn main() {
    assert_eq!(ffi::count_words("one two three two", 8), 32);
    let error = ffi::fail("thrown in C++").expect_err("it throws");
    assert_eq!(error.what(), "thrown in C++");
    let caught = std::panic::catch_unwind(|| panic!("in Rust"));
    assert!(caught.is_err());
    println!("C++: threads, streams, an exception");
}
