fn main() {
    assert_eq!(far::NAME, "far");
    assert_eq!(near::NAME, "near");
}
