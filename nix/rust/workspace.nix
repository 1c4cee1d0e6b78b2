# The manifests of a source tree: its packages and its lock. They are read at evaluation, so mistakes are reported before anything
# is built.
{ root }:
let
  inherit (builtins) attrValues concatMap concatStringsSep elem filter fromTOML head isAttrs map pathExists readFile;
  paths = import ./paths.nix;

  where = toString root;
  fail = message: throw "${where}: ${message}";
  manifestOf = folder: fromTOML (readFile (root + "/${folder}/Cargo.toml"));

  top =
    if pathExists (root + "/Cargo.toml") then manifestOf "."
    else fail "there is no Cargo.toml; set `src` to the folder of the package or workspace (in a git tree, Nix only sees tracked files: git add)";

  lock =
    if pathExists (root + "/Cargo.lock") then root + "/Cargo.lock"
    else fail "there is no Cargo.lock, which reproducible builds need; run `cargo generate-lockfile` and add the file to git";

  # The folders of the packages that a manifest depends on by path.
  dependencies = folder: manifest:
    let
      tables = table: map (kind: table.${kind} or { }) [ "dependencies" "dev-dependencies" "build-dependencies" ];
      all =
        concatMap attrValues (
          tables manifest
          ++ concatMap tables (attrValues (manifest.target or { }))
          ++ [ (manifest.workspace.dependencies or { }) ]
          ++ attrValues (manifest.patch or { })
        );
      local = filter (dependency: isAttrs dependency && dependency ? path) all;
      resolved = dependency:
        let found = paths.resolve folder dependency.path;
        in
        if found != null then found
        else fail "${if folder == "." then "" else "${folder}/"}Cargo.toml depends on ${dependency.path}, which is outside `src`; set `src` to the folder that contains both, and choose the package with `package`";
    in
    map resolved local;

  exclude = map (paths.resolve ".") (top.workspace.exclude or [ ]);
  members = filter (folder: !elem folder exclude) (concatMap (paths.glob root) (top.workspace.members or [ ]));
  start = [ "." ] ++ filter (folder: pathExists (root + "/${folder}/Cargo.toml")) members;

  closure = builtins.genericClosure {
    startSet = map (key: { inherit key; manifest = manifestOf key; }) start;
    operator = { key, manifest }: map
      (folder:
        if pathExists (root + "/${folder}/Cargo.toml") then { key = folder; manifest = manifestOf folder; }
        else fail "${if key == "." then "" else "${key}/"}Cargo.toml depends on ${folder}, where there is no Cargo.toml (in a git tree, Nix only sees tracked files: git add)")
      (dependencies key manifest);
  };

  # A field of [package], which may be inherited from the workspace.
  field = manifest: name: default:
    let value = manifest.package.${name} or default;
    in if isAttrs value && value.workspace or false then top.workspace.package.${name} or default else value;

  package = { key, manifest }: {
    folder = key;
    inherit manifest;
    inherit (manifest.package) name;
    version = field manifest "version" "0.0.0";
    edition = field manifest "edition" "2015";
    # These are null if the manifest lacks them.
    description = field manifest "description" null;
    licence = field manifest "license" null;
    repository = field manifest "repository" null;
    member = elem key start;
  };
in
rec {
  inherit root where fail lock top;
  # All manifests, also of folders without a package (the top of a virtual workspace).
  folders = closure;
  packages = map package (filter ({ manifest, ... }: manifest ? package) closure);

  # The package with that name; for null, the package at the top or the only one.
  select = name:
    let
      own = filter ({ member, ... }: member) packages;
      named = filter (package: package.name == name) packages;
      names = concatStringsSep ", " (map (package: package.name) own);
    in
    if name != null then
      (if named != [ ] then head named else fail "there is no package ${name}; `package` is one of: ${names}")
    else if top ? package then head (filter ({ folder, ... }: folder == ".") packages)
    else if builtins.length own == 1 then head own
    else if own == [ ] then fail "Cargo.toml has neither a [package] nor members of a [workspace]"
    else fail "this workspace has several packages; choose one with `package = \"…\"`: ${names}";

  # The locked packages that have to be fetched.
  external = filter (package: package ? source) ((fromTOML (readFile lock)).package or [ ]);
}
