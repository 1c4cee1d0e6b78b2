# The pipeline for any Cargo project, as functions: see docs/lib.md.
{ base, rust, tools, inspect }:
let
  inherit (base) derive cc;
  inherit (builtins) attrNames attrValues concatStringsSep elem filter intersectAttrs listToAttrs removeAttrs;

  static = filter (target: rust.targets.${target}.static) (attrNames rust.targets);
  toolchainFor = target: if elem target (attrValues rust.host) then rust.unwrapped.build else rust.unwrapped.aarch64;

  # A toolchain whose static targets have a libc.a with the parts asked for.
  sysroot = toolchain: targets: { allocator, musl }:
    let
      changed = if musl == "fast" || allocator != "system" then filter (target: elem target static) targets else [ ];
      archive = target: rust.libcArchive (toolchainFor target) { inherit target allocator; routines = musl == "fast"; };
    in
    rust.sysroot {
      name = "rust-${musl}-${allocator}";
      inherit toolchain;
      libcs = listToAttrs (map (target: { name = target; value = archive target; }) changed);
    };
  toolchains = target: parts: {
    build = sysroot (toolchainFor target) [ target ] parts;
    develop = sysroot rust.unwrapped.develop [ target ] parts;
  };
  shells = targets: sysroot rust.unwrapped.develop targets;

  project = import ./project.nix { inherit rust toolchains; };
  # A function of the arguments in project.nix, with a target by default.
  over = function: target: arguments: function (project ({ inherit target; } // arguments));
  # The same for a function with arguments of its own beside.
  apart = own: function: target: arguments:
    over (function (intersectAttrs own arguments)) target (removeAttrs arguments (attrNames own));
  # A function of a project for each of `targets`, with arguments of its own beside.
  each = own: function: arguments:
    let
      targets = arguments.targets or (if arguments ? target then [ arguments.target ] else static);
      of = target: project (removeAttrs arguments ([ "targets" ] ++ attrNames own) // { inherit target; auditable = true; });
    in
    if targets == [ ] then throw "targets = [ ] names none; leave it out for all of: ${concatStringsSep ", " static}"
    else function (intersectAttrs own arguments) (map of targets);
  inherit (rust.host) musl glibc;

  # Where a project's own configuration says in what folder its crates are, tools that do not take cargo's `--config` would
  # look there.
  withoutSources = project: if project.saysSources then "rm -f .cargo/config .cargo/config.toml" else "";

  build = import ./build.nix { inherit (tools) cargo-auditable; };
  # Makes archives and images, and what they hold beside programs.
  pack = build (project (import ../release/pack.nix { target = musl; }));
  sbomOf = import ./sbom.nix {
    inherit (tools) cargo-cyclonedx;
    inherit pack cc toolchainFor withoutSources;
    libcCrates = rust.libc.crates;
    materials = import ./materials.nix { inherit base rust; };
  };
  licencesOf = import ./licences.nix {
    inherit derive pack sbomOf;
    inherit (base) seed;
    rustc = rust.components."rustc${base.architecture.inputs}";
    muslDev = base.debian.packages.musl-dev;
    stdOf = target: rust.components.${rust.targets.${target}.std};
    libcCrates = rust.libc.crates;
    fastMusl = ../../crates/fast-musl/LICENSE;
    libcxxOf = target: rust.targets.${target}.libcxx;
  };
  releaseOf = import ./release.nix { inherit derive pack build licencesOf sbomOf; };
  imageOf = import ./image.nix { inherit derive pack build licencesOf; inherit (base) certificates; };
in
{
  # The parts of which the rest is made: a project, and what is done with one, or with one for each target.
  inherit project build pack sbomOf releaseOf imageOf;
  inherit (rust) source;
  dependencies = import ./dependencies.nix;

  buildStatic = over build musl;
  buildGlibc = over build glibc;
  test = apart { testArgs = null; } (import ./test.nix) musl;
  clippy = over (import ./clippy.nix) musl;
  doc = over (import ./doc.nix) musl;
  deny = over (import ./deny.nix { inherit (tools) cargo-deny; inherit withoutSources; }) musl;
  sbom = over sbomOf musl;
  licences = apart { licences = null; } licencesOf musl;
  release = each { files = null; licences = null; } releaseOf;
  image = each { program = null; command = null; image = null; config = null; labels = null; files = null; licences = null; } imageOf;
  checkStatic = import ./checkStatic.nix { inherit derive inspect; };
  devShell = import ./devShell.nix { inherit derive cc shells; inherit (base) buildTools; inherit (rust) environment host; cxxOf = rust.cxx; };
  # What build scripts may need: `nativeInputs = [ lib.cmake lib.perl ]`, `env = lib.bindgen`.
  inherit (base) cmake perl;
  bindgen = {
    LIBCLANG_PATH = "${base.libclang}/usr/lib/llvm-22/lib";
    BINDGEN_EXTRA_CLANG_ARGS = "-resource-dir ${cc}/usr/lib/llvm-22/lib/clang/22 --sysroot ${cc}/musl";
  };
  inherit (rust) fetchCrate;
}
