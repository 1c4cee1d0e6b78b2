# For nixw: every locked file that this machine may need, one a line, as its store path, name, SHA-256, pool path and size.
# Of the packages for another architecture these are those that it builds programs for it with, and starts a base of it from.
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
