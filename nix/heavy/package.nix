# A crate as it would be published: packed, unpacked and built by the oldest release of Rust that it promises to build with
# (its `rust-version`), with the files that a reader looks for.
{ rust, workspace }:
name: rust-version:
rust.cargoWith (rust.olderToolchain rust-version [ ]) (workspace // {
  name = "package-${name}";
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
