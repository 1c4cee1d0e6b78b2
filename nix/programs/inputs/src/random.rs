//! Numbers that look random, the same each time: xorshift64*, as in Vigna, "An experimental exploration of Marsaglia's
//! xorshift generators, scrambled", 2016.

pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below a limit, which must not be 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        // The upper bits are the better ones.
        let number = (self.next() >> 16) % limit as u64;
        usize::try_from(number).expect("it is below a usize")
    }

    /// One of these.
    pub(crate) fn choose<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}
