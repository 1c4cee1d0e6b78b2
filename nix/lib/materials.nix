# The components of a bill of materials that cargo does not know: what else is in a project's programs, and the tools that
# made them. sbom.nix replaces `@…@` with values that only the built files have.
{ base, rust }:
project:
let
  inherit (builtins) filter fromJSON fromTOML head readFile;
  inherit (rust.targets.${project.target}) static std;
  property = name: value: { inherit name value; };

  # A component of Rust's release; flake.lock has the hash of the unpacked archive.
  rustComponent = { input, name, type, scope }:
    let
      locked = (fromJSON (readFile ../../flake.lock)).nodes.${input}.locked;
    in
    {
      inherit type name scope;
      inherit (rust) version;
      bom-ref = "rust-release#${name}";
      description = "Of Rust's release for ${project.target}; the hash is that of the unpacked archive, as Nix computes it";
      licenses = [{ expression = "MIT OR Apache-2.0"; }];
      sha256 = locked.narHash;
      externalReferences = [{ type = "distribution"; inherit (locked) url; }];
    };

  # A package of the base.
  debian = name:
    let
      package = base.debian.lock.packages.${name};
    in
    {
      type = "application";
      inherit name;
      inherit (package) version;
      bom-ref = "debian#${name}";
      scope = "excluded";
      purl = "pkg:deb/debian/${name}@${builtins.replaceStrings [ ":" "+" ] [ "%3A" "%2B" ] package.version}?arch=${base.debian.lock.architecture}";
      hashes = [{ alg = "SHA-256"; content = package.sha256; }];
    };

  # A crate whose code is in the C library of static programs (nix/rust/libc.nix).
  fromLibc = name:
    let
      locked = head (filter (package: package.name == name) (fromTOML (readFile ../rust/libc/Cargo.lock)).package);
    in
    {
      type = "library";
      inherit name;
      inherit (locked) version;
      bom-ref = "libc#${name}";
      scope = "required";
      description = "In the C library that the program is linked with";
    } // (if locked ? checksum then {
      purl = "pkg:cargo/${name}@${builtins.replaceStrings [ "+" ] [ "%2B" ] locked.version}";
      licenses = [{ expression = if name == "libmimalloc-sys" then "MIT" else "MIT OR Apache-2.0"; }];
      hashes = [{ alg = "SHA-256"; content = locked.checksum; }];
    } else {
      licenses = [{ expression = "MIT OR Apache-2.0"; }];
      properties = [ (property "source" "this flake") ];
    });

  # C++ for static programs (nix/base/libcxx.nix).
  libcxx =
    let
      source = base.debian.lock.sources.llvm-toolchain-22;
    in
    {
      type = "library";
      name = "libcxx";
      inherit (source) version;
      bom-ref = "debian#libcxx";
      scope = "required";
      description = "libc++ and libc++abi; the hash is that of the archive of LLVM's source";
      licenses = [{ expression = "Apache-2.0 WITH LLVM-exception"; }];
      hashes = [{ alg = "SHA-256"; content = source.sha256; }];
    };

  allocators = {
    jemalloc = [ (fromLibc "tikv-jemalloc-sys") ];
    mimalloc = [ (fromLibc "libmimalloc-sys") ];
    system = [ ];
  };
in
[ (rustComponent { input = std; name = "rust-std"; type = "library"; scope = "required"; }) ]
++ (if !static then [ ] else [
  {
    type = "library";
    name = "musl";
    version = "@musl-version@";
    bom-ref = "rust-release#musl";
    scope = "required";
    description = "The C library in Rust's release; the hash is that of its libc.a";
    licenses = [{ expression = "MIT"; }];
    hashes = [{ alg = "SHA-256"; content = "@musl-sha256@"; }];
    externalReferences = [{ type = "website"; url = "https://musl.libc.org"; }];
  }
]
# fast-musl also has the functions that forward malloc to jemalloc.
++ (if project.musl == "fast" || project.allocator == "jemalloc" then [ (fromLibc "fast-musl") ] else [ ])
++ allocators.${project.allocator}
++ (if project.cxx then [ libcxx ] else [ ]))
++ map (name: rustComponent { input = "${name}${base.architecture.inputs}"; inherit name; type = "application"; scope = "excluded"; }) [ "rustc" "cargo" ]
++ map debian [ "clang-22" "lld-22" ]
