# The crates in `vendor`, a folder that `cargo vendor` wrote, with scripts that run in a sandbox without /bin/sh: their first line
# names the base's shell. Cargo compares each file with the crate's checksums, so these are updated. `lock` shows which crates
# come from git repositories; cargo.sh passes that to cargo.
{ derive, shell, gitSources }:
{ vendor, lock ? null }:
let
  fromGit = if lock == null then "" else gitSources ((builtins.fromTOML (builtins.readFile lock)).package or [ ]);
in
derive {
  name = "crates";
  inherit shell;
  fetched = vendor;
  script = ''
    cp -r $fetched $out
    chmod -R u+w $out
    cd $out
    find . -type f -perm -100 | while IFS= read -r file; do
      head -n 1 "$file" | grep -qaE '^#! ?/(usr/)?bin/(sh|bash|env)' || continue
      crate=''${file#./}
      crate=''${crate%%/*}
      old=$(sha256sum "$file" | cut -d ' ' -f 1)
      sed -Ei "1s|^#! ?/(usr/)?bin/(sh\|bash\|env)|#!$shell/bin/\2|" "$file"
      new=$(sha256sum "$file" | cut -d ' ' -f 1)
      sed -i "s/$old/$new/" "$crate/.cargo-checksum.json"
    done
  '' + (if fromGit == "" then "" else "cp ${builtins.toFile "git-sources.toml" fromGit} .git-sources.toml\n");
}
