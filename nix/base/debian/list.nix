# The list for nixw of all locked files that this machine may need. Each line has a file's store path, name, SHA-256, pool path
# and size. Of the packages for another architecture, the machine needs those to build programs for it, and those of the shell.
let
  architectures = import ../architectures.nix;
  architecture = architectures.${builtins.currentSystem};
  locked = { lock, ... }: import ./fetch.nix (builtins.fromJSON (builtins.readFile lock));
  foreign =
    let arm64 = locked architectures.aarch64-linux;
    in if architecture.foreign == { } then [ ] else arm64.filesOf "musl" ++ arm64.filesOf "shell";
  line = file: "${file.fetched} ${file.name} sha256:${file.sha256} ${file.path} ${toString file.size}\n";
in
builtins.concatStringsSep "" (map line ((locked architecture).files ++ foreign))
