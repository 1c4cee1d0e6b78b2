pub const NAME: &str = "far";
