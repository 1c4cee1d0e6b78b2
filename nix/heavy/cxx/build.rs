fn main() {
    cc::Build::new()
        .cpp(true)
        .std("c++20")
        .warnings_into_errors(true)
        .files(["src/parts.cpp", "src/shapes.cpp"])
        .compile("parts");
    println!("cargo::rerun-if-changed=src");
}
