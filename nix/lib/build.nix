# A project's programs, in bin/. An edit of its code does not rebuild its dependencies.
{ cargo-auditable }:
project:
let
  inherit (project) name package workspace;
  exists = path: builtins.pathExists (workspace.root + "/${package.folder}/${path}");
  hasPrograms = exists "src/main.rs" || exists "src/bin" || package.manifest ? bin;
  shared = builtins.filter (type: builtins.elem type [ "cdylib" "dylib" ]) (package.manifest.lib.crate-type or [ ]);

  checked =
    if hasPrograms then project
    else if shared != [ ] then
      workspace.fail "the package ${package.name} makes a shared library (crate-type ${builtins.head shared}), which static programs cannot load; set `package` to a package with a program"
    else workspace.fail "the package ${package.name} has no program, neither src/main.rs nor a [[bin]]; choose another package with `package`";
in
checked.cargo {
  inherit name;
  inherit (project) version source allocator musl emulator;
  artifacts = import ./dependencies.nix project;
  nativeInputs = if project.auditable then [ cargo-auditable ] else [ ];
  command = ''
    cargo ${if project.auditable then "auditable " else ""}build ${toString project.flags} --bins --message-format json-render-diagnostics >messages
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' messages | xargs -r install -D -t $out/bin
    if [ ! -d $out/bin ]; then
      echo "cargo built no program of ${package.name}: a [[bin]] may need features that are off (required-features)" >&2
      exit 1
    fi
  '';
}
