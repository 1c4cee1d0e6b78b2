# One executable of the workspace. It is static by default, so it needs nothing of the system that runs it.
{ rust, files }:
{ name
, toolchain ? rust.toolchains.build
, profile ? "release"
, target ? rust.host.musl
, features ? [ ]
, paths ? [ ]
}:
let
  inherit (builtins) attrValues concatStringsSep elem;
  foreign = if elem target (attrValues rust.host) then { } else { inherit target; };
  flags = [ "--locked" "--package" name "--profile" profile "--target" target ]
    ++ (if features == [ ] then [ ] else [ "--features" (concatStringsSep "," features) ]);
in
rust.cargoWith toolchain (files ([ "crates/${name}" ] ++ paths) // foreign // {
  inherit name;
  command = ''
    cargo build ${toString flags}
    install -D -t $out/bin target/${target}/${profile}/${name}
  '';
})
