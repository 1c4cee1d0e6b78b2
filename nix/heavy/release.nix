# The tests of nix/release/pack, and a release and an image of a project other than Broker, for both architectures and with the
# library's routines and allocator in the C library.
{ derive, lib, emulator, target }:
let
  pack = import ../release/pack.nix { inherit target; };
  project = { src = ../../templates/workspace; package = "words"; };
in
{
  tests-pack = lib.test pack;
  lints-pack = lib.clippy pack;
  # The project's own configuration names the folder of its crates, which come from git repositories.
  licences-vendored = lib.licences {
    src = ../checks/vendored;
    vendor = ../checks/vendored/vendor;
    licences = { far = ../../LICENSE; near = ../../LICENSE; };
  };
  release-words = derive {
    name = "release-words";
    inherit emulator;
    release = lib.release project;
    image = lib.image project;
    script = ''
      cd $release
      sha256sum -c SHA256SUMS
      cd - >/dev/null
      echo 'three words here' >text
      for architecture in x86_64 aarch64; do
        for archive in $release/*-$architecture-unknown-linux-musl.tar.gz; do
          tar -xzf $archive
        done
        folder=$(echo words-*-$architecture-unknown-linux-musl)
        run=
        [ $architecture = x86_64 ] || run=$emulator/bin/qemu-aarch64
        $run $folder/words text | tee -a $out
        for part in musl-*/copyright fast-musl-*/LICENSE tikv-jemalloc-sys-*/jemalloc-COPYING rust-std-*/COPYRIGHT-library.html; do
          test -s "$(echo $folder/licences/$part)"
        done
        for part in musl fast-musl tikv-jemalloc-sys rust-std; do
          grep -q "\"name\": \"$part\"" $folder/$folder.cdx.json
        done
      done
      tar -xf $image index.json
      grep -q '"io.containerd.image.name":"words:' index.json
    '';
  };
}
