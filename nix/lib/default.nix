# The pipeline for any Cargo project, as functions: see docs/lib.md.
{ base, rust, tools, inspect }:
let
  inherit (base) derive cc;
  inherit (builtins) attrNames attrValues concatStringsSep elem filter intersectAttrs listToAttrs removeAttrs;

  static = filter (target: rust.targets.${target}.static) (attrNames rust.targets);
  unwrappedFor = target: if elem target (attrValues rust.host) then rust.unwrapped.build else rust.unwrapped.aarch64;

  # A toolchain whose static targets have a libc.a with this allocator and these routines.
  withLibc = toolchain: targets: { allocator, musl }:
    let
      changed = if musl == "fast" || allocator != "system" then filter (target: elem target static) targets else [ ];
      archive = target: rust.libcArchive (unwrappedFor target) { inherit target allocator; routines = musl == "fast"; };
    in
    rust.sysroot {
      name = "rust-${musl}-${allocator}";
      inherit toolchain;
      libcs = listToAttrs (map (target: { name = target; value = archive target; }) changed);
    };
  developToolchain = withLibc rust.unwrapped.develop;
  toolchains = target: libc: {
    build = withLibc (unwrappedFor target) [ target ] libc;
    develop = developToolchain [ target ] libc;
  };

  project = import ./project.nix { inherit rust toolchains; };
  # Turns a function of a project into one of the arguments in project.nix, with a default target.
  over = function: target: arguments: function (project ({ inherit target; } // arguments));
  # The same for a function that takes further arguments, the attributes of `further`.
  overWith = further: function: target: arguments:
    over (function (intersectAttrs further arguments)) target (removeAttrs arguments (attrNames further));
  # The same for a function of a list of projects, one for each of `targets`.
  overTargets = further: function: arguments:
    let
      targets = arguments.targets or (if arguments ? target then [ arguments.target ] else static);
      of = target: project (removeAttrs arguments ([ "targets" ] ++ attrNames further) // { inherit target; auditable = true; });
    in
    if targets == [ ] then throw "targets = [ ] names none; leave it out for all of: ${concatStringsSep ", " static}"
    else function (intersectAttrs further arguments) (map of targets);
  inherit (rust.host) musl glibc;

  # A project's own configuration may name a folder of vendored crates. Tools that do not take cargo's `--config` would look
  # there.
  withoutSources = project: if project.saysSources then "rm -f .cargo/config .cargo/config.toml" else "";

  build = import ./build.nix { inherit (tools) cargo-auditable; };
  # Makes archives and images, bills of materials and licence texts.
  pack = build (project (import ../release/pack.nix { target = musl; }));
  sbomOf = import ./sbom.nix {
    inherit (tools) cargo-cyclonedx;
    inherit pack cc unwrappedFor withoutSources;
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
    # crates/fast-musl/LICENSE links to it; Nix copies a link without its target when evaluation is impure.
    fastMusl = ../../LICENSE;
    libcxxOf = target: rust.targets.${target}.libcxx;
  };
  releaseOf = import ./release.nix { inherit derive pack build licencesOf sbomOf; };
  imageOf = import ./image.nix { inherit derive pack build licencesOf; inherit (base) certificates; };
in
{
  # The building blocks: a project, and functions of one project or of one project per target.
  inherit project build pack sbomOf releaseOf imageOf;
  inherit (rust) source fetchCrate;
  dependencies = import ./dependencies.nix;

  buildStatic = over build musl;
  buildGlibc = over build glibc;
  test = overWith { testArgs = null; } (import ./test.nix) musl;
  clippy = over (import ./clippy.nix) musl;
  doc = over (import ./doc.nix) musl;
  deny = over (import ./deny.nix { inherit (tools) cargo-deny; inherit withoutSources; }) musl;
  sbom = over sbomOf musl;
  licences = overWith { licences = null; } licencesOf musl;
  release = overTargets { files = null; licences = null; } releaseOf;
  image = overTargets { program = null; command = null; image = null; config = null; labels = null; files = null; licences = null; } imageOf;
  checkStatic = import ./checkStatic.nix { inherit derive inspect; };
  devShell = import ./devShell.nix { inherit derive cc developToolchain; inherit (base) buildTools; inherit (rust) environment host; cxxFor = rust.cxx; };
  # What build scripts may need: `nativeInputs = [ lib.cmake lib.perl ]`, `env = lib.bindgen`.
  inherit (base) cmake perl;
  bindgen = {
    LIBCLANG_PATH = "${base.libclang}/usr/lib/llvm-22/lib";
    BINDGEN_EXTRA_CLANG_ARGS = "-resource-dir ${cc}/usr/lib/llvm-22/lib/clang/22 --sysroot ${cc}/musl";
  };
}
