# The development shell: `nix develop` asks for a derivation that is built by a `bash` and has a `$stdenv/setup`.
{ base, rust, tools }:
let
  stdenv = base.derive {
    name = "setup";
    script = ''
      mkdir $out
      echo 'unset LC_ALL # a person has a locale' >$out/setup
    '';
  };
in
base.derive (rust.environment // {
  name = "broker-develop";
  outputs = [ "out" ];
  inherit stdenv;
  tools = [ rust.develop base.cc base.tools tools.cargo-deny tools.nixpkgs-fmt tools.deadnix ];
  script = "echo 'This derivation is for nix develop.' >$out";
})
