# rust-toolchain.toml, flake.lock, the manifests and the compiler have the same version of Rust. The only other versions in
# flake.lock are those in `older`, by the name of the crate whose own manifest requires it: the oldest release that a
# published crate supports, and the release that the seeds were built with.
{ derive, toolchain, root, older }:
let
  manifest = folder: builtins.fromTOML (builtins.readFile (root + "/${folder}/Cargo.toml"));
  crates = builtins.filter (name: !(older ? ${name})) (builtins.attrNames (builtins.readDir (root + "/crates")));
  # The versions that a manifest states itself, such as "crates/seed/Cargo.toml 1.95".
  required = folder:
    let of = manifest folder; in
    map (version: "${folder}/Cargo.toml ${version}") (builtins.filter builtins.isString [
      (of.workspace.package.rust-version or null)
      (of.package.rust-version or null)
    ]);
in
derive {
  name = "toolchain-equality";
  nativeInputs = [ toolchain ];
  pin = root + "/rust-toolchain.toml";
  lock = root + "/flake.lock";
  older = builtins.attrValues older;
  manifests = builtins.concatStringsSep "\n"
    (builtins.concatMap required ([ "." "fuzz" "nix/heavy/ways" ] ++ map (name: "crates/${name}") crates));
  script = ''
    channel=$(sed -n 's/^channel = "\(.*\)"/\1/p' $pin)
    compiler=$(rustc --version | cut -d ' ' -f 2)
    printf -- '-%s[-.]\n' $channel $older >known
    other=$(sed -n 's/.*"url": "\(.*\)".*/\1/p' $lock | grep -v -f known || true)
    if [ "$channel" != "$compiler" ] || [ -n "$other" ]; then
      echo "rust-toolchain.toml says $channel, the flake's compiler is $compiler; other versions in flake.lock: $other" >&2
      exit 1
    fi
    # Manifests state the first two of the three numbers.
    other=$(grep -vE "^[^ ]+ ''${channel%.*}$" <<<"$manifests" || true)
    if [ -z "$manifests" ] || [ -n "$other" ]; then
      echo "rust-toolchain.toml says $channel; rust-version is another, or missing: ''${other:-no manifest at all}" >&2
      exit 1
    fi
    echo $channel | tee $out
  '';
}
