# What every function of the library works on: a Cargo package or workspace, and how it is to be built. Nothing in its
# source changes.
#
# src           the folder with Cargo.toml and Cargo.lock: a path, a flake (`self`), or a derivation
# package       the package of a workspace, where several could be meant
# cargoHash     the hash of all dependencies; leave it out, and Nix says what to write ("got:")
# vendor        a folder that `cargo vendor` made, in place of cargoHash
# features      a list; `defaultFeatures = false` and `allFeatures = true` are Cargo's flags of these names
# profile       Cargo's profile
# cargoArgs     a list of further arguments for cargo
# target        the target triple
# allocator     whose malloc a static program has, for C code and for Rust's System allocator: "jemalloc", "mimalloc", or
#               "system", which is musl's. What a crate names by `#[global_allocator]` stays
# musl          whose memory and string routines, getrandom, qsort and the like: "fast", or "stock" for musl's own
# rustflags     a list of flags for rustc, in place of those in the project's configuration
# nativeInputs  derivations whose programs are on PATH
# cxx           whether there is C++ in it, which takes libc++ (static programs)
# auditable     whether the list of crates is embedded in the programs, as cargo-auditable does
# env           a set of environment variables
# paths         the files and folders of src that are used, if not all are
# name          the name of the result, if not that of the package
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

  # Without a hash, Nix fetches everything and reports the hash. A git dependency must ask for that with an empty one,
  # because no registry vouches for what a repository returns.
  fromGit = filter ({ source, ... }: builtins.match "git\\+.*" source != null) workspace.external;
  hash =
    if cargoHash != null && cargoHash != "" then cargoHash
    else if fromGit != [ ] && cargoHash == null then
      workspace.fail "${(builtins.head fromGit).name} comes from a git repository: write `cargoHash = \"\";`, and Nix says the hash of what the repository gives"
    else builtins.trace "${chosen.name}: there is no cargoHash; write the one that Nix names below (got:)" "";
  # By name and version, as a vendored folder has them.
  twice = filter (same: builtins.length same > 1)
    (builtins.attrValues (builtins.groupBy ({ name, version, ... }: "${name} ${version}") workspace.external));
  crates =
    if workspace.external == [ ] then ""
    else if twice != [ ] then
      let same = builtins.head twice; in
      workspace.fail "${(builtins.head same).name} ${(builtins.head same).version} comes from several places, and `cargo vendor` has room for one: ${concatStringsSep ", " (map ({ source, ... }: source) same)}; name one of them everywhere (where a dependency names the other, [patch] in Cargo.toml replaces it)"
    else if vendor != null then rust.crates { inherit vendor; inherit (workspace) lock; }
    else rust.crates { vendor = rust.vendor { inherit manifests hash; inherit (workspace) lock; }; inherit (workspace) lock; };

  known = oneOf "target" target (attrNames rust.targets);
  parts = {
    allocator = oneOf "allocator" allocator [ "jemalloc" "mimalloc" "system" ];
    musl = oneOf "musl" musl [ "fast" "stock" ];
  };
  toolchain = toolchains known parts;

  # Where a project's own configuration says that its crates are in a vendored folder, as `cargo vendor` proposes, ours has
  # to come first: a command line's does.
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

  with' = cargo: arguments: cargo (
    rust.cxx known cxx // env // {
      inherit manifests crates rustflags;
      target = known;
      nativeInputs = nativeInputs ++ arguments.nativeInputs or [ ];
    } // removeAttrs arguments [ "nativeInputs" ]
  );
in
rec {
  inherit name workspace manifests crates flags workspaceFlags folder auditable cxx saysSources;
  inherit (parts) allocator musl;
  # What runs the programs where this machine does not.
  inherit (rust.targets.${known}) emulator static;
  inherit (chosen) version;
  package = chosen;
  target = known;

  # A cargo command over the project, and one with the tools for development.
  cargo = with' (rust.cargoWith toolchain.build);
  cargoDevelop = with' (rust.cargoWith toolchain.develop);

  source = rust.source { inherit root paths; };

  # What a command leaves when it has built the dependencies alone: `artifacts` for the same command over the source.
  dependencies = { cargo, command, kind, artifacts ? "" }: cargo {
    name = "${name}-${kind}";
    inherit artifacts;
    command = "${command}; mv target $out";
  };
}
