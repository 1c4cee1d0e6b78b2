# A project's bill of materials, as CycloneDX JSON: its crates, the C code in them, the standard library and the C library,
# each with its hash, and the tools that made the program, with the scope `excluded`.
{ materials, cargo-cyclonedx, pack, cc, unwrappedFor, libcCrates, withoutSources }:
project:
let
  inherit (project) name package target;
in
project.cargo {
  name = "${name}-${project.version}-${target}.cdx.json";
  nativeInputs = [ cargo-cyclonedx pack cc ];
  materials = builtins.toJSON (materials project);
  inherit libcCrates;
  libc = if project.static then "${unwrappedFor target}/lib/rustlib/${target}/lib/self-contained/libc.a" else "";
  command = ''
    ${withoutSources project}
    # A bill for each package of the workspace, beside its manifest.
    cargo cyclonedx --format json --spec-version 1.5 --quiet ${toString project.workspaceFlags}
    if [ -n "$libc" ]; then
      version=$(ar p "$libc" version.lo | strings | grep -m 1 -xE '[0-9]+\.[0-9]+\.[0-9]+')
      sum=$(sha256sum <"$libc")
      materials=''${materials//@musl-version@/$version}
      materials=''${materials//@musl-sha256@/''${sum%% *}}
    fi
    echo "$materials" >materials.json
    pack bom --crates "${package.folder}/${package.name}.cdx.json" --root "$PWD" ''${crates:+--vendor "$crates"} \
      --vendor "$libcCrates" --materials materials.json --output $out
  '';
}
