# For nixw: every locked package, one a line, as its store path, name, SHA-256, pool path and size.
let
  locks = map (lock: import ./fetch.nix (builtins.fromJSON (builtins.readFile lock))) [ ./debian.json ./arm64/debian.json ];
  line = file: "${file.deb} ${file.name} sha256:${file.sha256} ${file.path} ${toString file.size}\n";
in
builtins.concatStringsSep "" (builtins.concatMap (debian: map line (builtins.attrValues debian.files)) locks)
