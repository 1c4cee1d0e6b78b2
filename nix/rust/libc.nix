# musl's libc.a with this project's routines and another allocator's malloc in front of musl's own. The linker uses it for `-lc`,
# for callers in any language. `routines` and `allocator` select the two parts.
#
# Each part is one object. A linker takes the first object of an archive that defines a name that is still undefined, so a
# program with its own malloc does not get ours. Every name of the two parts is weak, so a program that defines some of them
# causes no duplicate definitions. All other symbols of the objects are local, so they do not mix with another jemalloc in the
# program.
{ derive, cc, vendor, crates, source }:
let
  code = source { root = ../../crates/fast-musl; paths = [ "Cargo.toml" "build.rs" "src" ]; };
  manifests = derive {
    name = "libc-source";
    workspace = ./libc;
    inherit code;
    script = ''
      cp -r $workspace $out
      chmod -R u+w $out
      mkdir $out/crates
      cp -r $code $out/crates/fast-musl
    '';
  };
  lock = ./libc/Cargo.lock;
  vendored = crates {
    inherit lock;
    vendor = vendor {
      inherit manifests lock;
      hash = "sha256-/OhZGq/tXfMdvK3umwVtb9RijIYlCYifotP6/IrYFOo=";
    };
  };
  llvm = "${cc}/usr/lib/llvm-22/bin";
in
{
  crates = vendored;
  archive = { cargo, toolchain, target, routines, allocator }:
    let
      # A folder with one object and the names that it defines. Several archives have the same part.
      part = kind: cargo {
        name = "libc-part-${kind}-${target}";
        inherit target manifests llvm kind;
        crates = vendored;
        command = "source ${./libcPart.sh}";
      };
    in
    derive {
      name = "libc-${allocator}-${target}";
      inherit target toolchain llvm;
      parts = map part ((if routines then [ "routines" ] else [ ]) ++ (if allocator == "system" then [ ] else [ allocator ]));
      script = ./libc.sh;
    };
}
