# The project that every function of the library takes: a Cargo package or workspace, and how to build it. Its source is not
# changed.
#
# src           the folder with Cargo.toml and Cargo.lock: a path, a flake (`self`), or a derivation
# package       the package of a workspace; by default its only one
# cargoHash     the hash of all dependencies; without it, Nix reports the right one ("got:")
# vendor        a folder that `cargo vendor` wrote, instead of cargoHash
# features      a list; `defaultFeatures = false` and `allFeatures = true` are Cargo's flags of these names
# profile       Cargo's profile
# cargoArgs     a list of further arguments for cargo
# target        the target triple
# allocator     the malloc of a static program, for C code and for Rust's System allocator: "jemalloc", "mimalloc", or
#               "system" for musl's. A crate's `#[global_allocator]` stays in use
# musl          the memory and string routines, getrandom, qsort and the like: "fast", or "stock" for musl's own
# rustflags     a list of flags for rustc, instead of those in the project's configuration
# nativeInputs  derivations whose programs are on PATH
# cxx           whether the project contains C++; static programs are then linked with libc++
# artifacts     compiled dependencies to start from (`lib.dependencies`): those of a project with the same source, target and profile
# auditable     whether the programs have the list of their crates embedded, as by cargo-auditable
# env           a set of environment variables
# paths         the files and folders of src that the build reads; by default all
# name          the name of the result; by default that of the package
{ rust, toolchains }:
{ src
, target
, package ? null
, cargoHash ? null
, vendor ? null
, features ? [ ]
, defaultFeatures ? true
, allFeatures ? false
, profile ? "release"
, cargoArgs ? [ ]
, allocator ? "jemalloc"
, musl ? "fast"
, rustflags ? [ ]
, nativeInputs ? [ ]
, cxx ? false
, artifacts ? ""
, auditable ? false
, env ? { }
, paths ? null
, name ? null
}@asked:
let
  name = if asked.name or null != null then asked.name else chosen.name;
  inherit (builtins) attrNames concatStringsSep elem filter;
  inherit (import ../rust/strings.nix) quote;
  oneOf = argument: value: known:
    if elem value known then value
    else throw "${argument} = \"${toString value}\" is unknown; it is one of: ${concatStringsSep ", " known}";

  root = import ./tree.nix src;
  workspace = rust.workspace { inherit root; };
  chosen = workspace.select package;
  manifests = rust.manifests { inherit workspace; };

  # Without a hash, Nix fetches everything and reports the hash. Nothing else vouches for what comes from a git repository, so
  # a project with such a dependency has to ask for the hash, with an empty one.
  fromGit = filter ({ source, ... }: builtins.match "git\\+.*" source != null) workspace.external;
  hash =
    if cargoHash != null && cargoHash != "" then cargoHash
    else if fromGit != [ ] && cargoHash == null then
      workspace.fail "${(builtins.head fromGit).name} comes from a git repository: write `cargoHash = \"\";`, and Nix reports the hash"
    else builtins.trace "${chosen.name}: there is no cargoHash; write the hash that Nix reports below (got:)" "";
  # A vendored folder has one crate for each name and version.
  twice = filter (same: builtins.length same > 1)
    (builtins.attrValues (builtins.groupBy ({ name, version, ... }: "${name} ${version}") workspace.external));
  crates =
    if workspace.external == [ ] then ""
    else if twice != [ ] then
      let same = builtins.head twice; in
      workspace.fail "${(builtins.head same).name} ${(builtins.head same).version} comes from several sources, but `cargo vendor` supports only one: ${concatStringsSep ", " (map ({ source, ... }: source) same)}; use the same source everywhere ([patch] in Cargo.toml replaces the source in a dependency)"
    else if vendor != null then rust.crates { inherit vendor; inherit (workspace) lock; }
    else rust.crates { vendor = rust.vendor { inherit manifests hash; inherit (workspace) lock; }; inherit (workspace) lock; };

  known = oneOf "target" target (attrNames rust.targets);
  libc = {
    allocator = oneOf "allocator" allocator [ "jemalloc" "mimalloc" "system" ];
    musl = oneOf "musl" musl [ "fast" "stock" ];
  };
  toolchain = toolchains known libc;

  # A project's own configuration may name a folder of vendored crates, as `cargo vendor` proposes. Ours has to take
  # precedence: configuration on the command line does.
  configurations = filter builtins.pathExists [ (root + "/.cargo/config.toml") (root + "/.cargo/config") ];
  saysSources = builtins.any (file: builtins.fromTOML (builtins.readFile file) ? source) configurations;

  targetAndFeatures = features:
    [ "--target" known ]
    ++ (if features == [ ] then [ ] else [ "--features" (concatStringsSep "," features) ])
    ++ (if defaultFeatures then [ ] else [ "--no-default-features" ])
    ++ (if allFeatures then [ "--all-features" ] else [ ]);
  # Cargo's arguments that choose what is built, and how, as words of a shell command.
  flags =
    [ "--locked" "--package" chosen.name "--profile" profile ]
    ++ targetAndFeatures features
    ++ (if crates != "" && saysSources then [ "--config" "$CARGO_HOME/config.toml" ] else [ ])
    ++ map quote cargoArgs;
  # The arguments for tools that ask cargo about the whole workspace, where a feature goes by its package.
  workspaceFlags = targetAndFeatures (map
    (feature: if builtins.match ".*/.*" feature == null then "${chosen.name}/${feature}" else feature)
    features);
  # Cargo names this folder by the profile, except for its own profiles that inherit from another.
  folder = "target/${known}/${{ dev = "debug"; test = "debug"; bench = "release"; }.${profile} or profile}";

  withProject = cargo: arguments: cargo (
    rust.cxx known cxx // env // {
      inherit manifests crates rustflags;
      target = known;
      nativeInputs = nativeInputs ++ arguments.nativeInputs or [ ];
    } // removeAttrs arguments [ "nativeInputs" ]
  );
in
rec {
  inherit name workspace manifests crates flags workspaceFlags folder auditable cxx saysSources;
  inherit (libc) allocator musl;
  # The emulator for programs that this machine cannot run itself.
  inherit (rust.targets.${known}) emulator static;
  inherit (chosen) version;
  package = chosen;
  target = known;

  # A cargo command over the project, and one with the tools for development.
  cargo = withProject (rust.cargoWith toolchain.build);
  cargoDevelop = withProject (rust.cargoWith toolchain.develop);

  source = rust.source { inherit root paths; };

  # The target folder of a command that built only the dependencies: `artifacts` for the same command over the source.
  dependencies = { cargo, command, kind, from ? artifacts }: cargo {
    name = "${name}-${kind}";
    artifacts = from;
    command = "${command}; mv target $out";
  };
}
