# For nixw: every locked file, one a line, as its store path, name, SHA-256, pool path and size.
let
  locks = map (lock: import ./fetch.nix (builtins.fromJSON (builtins.readFile lock))) [ ./debian.json ./arm64/debian.json ];
  line = file: "${file.fetched} ${file.name} sha256:${file.sha256} ${file.path} ${toString file.size}\n";
in
builtins.concatStringsSep "" (builtins.concatMap (debian: map line debian.files) locks)
