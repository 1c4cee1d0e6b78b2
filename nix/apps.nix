# The apps of `nix run`.
{ base, broker, executables, bench, flake }:
let
  inherit (base) derive shell updaters;
  app = program: { type = "app"; inherit program; };
  # A script with the programs of `path` on its PATH.
  script = name: path: file: app "${derive {
    inherit name file shell updaters;
    updating = ./updating.sh;
    run = builtins.concatStringsSep ":" (map (tool: "${tool}/bin") (path ++ [ shell ]));
    script = ''
      mkdir -p $out/bin
      {
        echo "#!$shell/bin/bash"
        # Nix itself is the caller's.
        echo "export PATH=$run:\$PATH UPDATING=$updating DEBIAN_KEYRING=$updaters/usr/share/keyrings/debian-archive-keyring.gpg"
        tail -n +2 $file
      } >$out/bin/$name
      chmod +x $out/bin/$name
    '';
  }}/bin/${name}";
in
{
  # Third-party programs take minutes to fetch and build, so they are only built when the arguments ask for them.
  bench = app "${bench {
    start = ''
      previous=
      for argument; do
        case "$previous ''${argument/#--section=/--section }" in
          "--section programs" | *" --section programs" | *" --program" | *" --programs" | *" --program="* | *" --programs="*)
            exec nix --extra-experimental-features "nix-command flakes" run "path:${flake}#programs.bench" -- "$@"
            ;;
        esac
        previous=$argument
      done
    '';
  }}/bin/bench";
  inspect = app "${executables.inspect}/bin/inspect";
  default = app "${broker.packages.broker-static}/bin/broker";
}
  # x86_64-linux renews the locks of all systems. Only it has everything that this needs.
  // (if base.system != "x86_64-linux" then { } else {
  update = script "update" [ ] ./update.sh;
  # `update -- debian` runs this. It is an app of its own, because it is built from the crates and the compiler that `update`
  # renews.
  update-debian = script "update-debian" [ executables.debian-lock updaters ] ./base/debian/update.sh;
  update-seed = script "update-seed" [ ] ./base/update-seed.sh;
})
