# The crates, with the scripts among them made to run where there is no /bin/sh: their first line names the base's shell.
# Cargo checks every file against the crate's checksums, so these are renewed with it. `lock` tells which crates stand for
# git repositories, of which cargo.sh tells cargo.
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
