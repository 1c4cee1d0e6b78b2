# A crate as it is published: packed, unpacked and built with the oldest release of Rust that it supports (its
# `rust-version`). The package contains a changelog, a README and the licence. `jemalloc` is its static library for musl, which
# does not depend on the release of Rust.
{ rust, files, jemalloc }:
name: rust-version:
rust.cargoWith (rust.olderToolchain rust-version [ ]) (files // {
  name = "package-${name}";
  JEMALLOC_OVERRIDE = jemalloc;
  command = ''
    # Without optimisation most of fast-musl is left out.
    export CARGO_PROFILE_DEV_OPT_LEVEL=3
    cargo package --package ${name} --all-features --target x86_64-unknown-linux-musl 2>&1 | tee $out
    mkdir unpacked
    tar -xzf target/package/${name}-*.crate -C unpacked
    cd unpacked/*
    find . -type f | sort | tee -a $out
    for file in CHANGELOG.md README.md; do
      test -s $file || { echo "${name}'s package has no $file" >&2; exit 1; }
    done
    grep -q 'MIT License' LICENSE
    grep -q 'Apache License' LICENSE
  '';
})
