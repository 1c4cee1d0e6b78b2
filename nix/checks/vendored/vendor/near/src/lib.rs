pub const NAME: &str = "near";
