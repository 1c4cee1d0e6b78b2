# What `nix run` starts.
{ base, broker, executables, bench, flake }:
let
  inherit (base) derive shell updaters;
  app = program: { type = "app"; inherit program; };
  script = name: tools: file: app "${derive {
    inherit name file shell updaters;
    updating = ./updating.sh;
    run = builtins.concatStringsSep ":" (map (tool: "${tool}/bin") (tools ++ [ shell ]));
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
  # Programs of others take minutes to fetch and to build: that is left to who asks for them.
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
  # The locks are for every machine, and x86_64-linux has all of what they are renewed with.
  // (if base.system != "x86_64-linux" then { } else {
  update = script "update" [ ] ./update.sh;
  # What `update -- debian` runs: apart, because it is built from the very crates and compiler that the rest renews.
  update-debian = script "update-debian" [ executables.debian-lock updaters ] ./base/debian/update.sh;
  update-seed = script "update-seed" [ ] ./base/update-seed.sh;
})
