# musl's libc.a with this project's routines, and malloc by another allocator, in front of musl's own: what the linker
# takes for `-lc`, in whatever language the caller is written. `routines` and `allocator` say which parts.
#
# Each of the two parts is one object. A linker takes an object of an archive where a name is still undefined, and the
# first that has it: a program that brings a malloc of its own never meets ours. Every name of the two is weak, so that
# nothing is defined twice where a program defines some of them, and what the objects have beside is local to them, so
# that another jemalloc in the program is another one.
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
in
{
  crates = vendored;
  archive = { cargo, toolchain, target, routines, allocator }: cargo {
    name = "libc-${allocator}-${target}";
    inherit target routines allocator manifests toolchain;
    crates = vendored;
    llvm = "${cc}/usr/lib/llvm-22/bin";
    command = "source ${./libc.sh}";
  };
}
