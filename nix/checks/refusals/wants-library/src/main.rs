unsafe extern "C" {
    fn magic();
}

fn main() {
    // SAFETY: there is no such function, and no such program.
    unsafe { magic() };
}
