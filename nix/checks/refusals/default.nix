# Mistakes in a project, and a part of the error message for each. `.ci/run` tries them all.
{ lib }:
let
  build = name: arguments: (lib.buildStatic ({ src = ./. + "/${name}"; } // arguments)).drvPath;
in
{
  # These fail at evaluation.
  evaluated = {
    no-manifest = { result = build "no-manifest" { }; said = "there is no Cargo.toml"; };
    no-lock = { result = build "no-lock" { }; said = "run `cargo generate-lockfile`"; };
    several = { result = build "several" { }; said = "choose one with `package = "; };
    no-package = { result = build "several" { package = "c"; }; said = "`package` is one of: a, b"; };
    outside = { result = build "outside" { }; said = "set `src` to the folder that contains both"; };
    missing = { result = build "missing" { }; said = "depends on gone, where there is no Cargo.toml"; };
    shared = { result = build "shared" { }; said = "crate-type cdylib"; };
    library = { result = build "library" { }; said = "has no program"; };
    target = { result = build "several" { package = "a"; target = "x86_64-pc-windows-gnu"; }; said = "x86_64-unknown-linux-musl"; };
    allocator = { result = build "several" { package = "a"; allocator = "tcmalloc"; }; said = "jemalloc, mimalloc, system"; };
    musl = { result = build "several" { package = "a"; musl = "slow"; }; said = "fast, stock"; };
    argument = { result = build "several" { pacakge = "a"; }; said = "pacakge"; };
    no-folder = { result = build "nowhere" { }; said = "src: there is no folder"; };
    git-dependency = { result = build "git-dependency" { }; said = "far comes from a git repository: write `cargoHash"; };
    twice = { result = build "twice" { cargoHash = ""; }; said = "far 0.1.0 comes from several sources"; };
  };
  # These fail in the build.
  built = {
    wants-library = { result = lib.buildStatic { src = ./wants-library; }; said = "hint: there is no static library magic"; };
    downloads = { result = lib.buildStatic { src = ./downloads; }; said = "hint: a download failed"; };
    cxx-unsaid = { result = lib.buildStatic { src = ./cxx-unsaid; }; said = "write `cxx = true;`"; };
  };
}
