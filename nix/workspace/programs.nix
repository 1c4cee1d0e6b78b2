# The workspace's programs that measure Broker, renew its locks and inspect executables.
{ rust, files, linked }:
let
  program = import ./program.nix { inherit rust files; };
in
{
  # Compares the variants of Broker.
  report = program { name = "report"; paths = [ "crates/survey/src" ]; };
  # The smallest server, which the report compares Broker with. It has the C library of broker-static, so only the work of
  # the two differs.
  least = program { name = "least"; paths = linked.fast-musl; };
  # Time the routines of each C library.
  surveys = {
    glibc = program { name = "survey"; target = rust.host.glibc; };
    stock-musl = program { name = "survey"; };
    fast-musl = program { name = "survey"; features = [ "fast" ]; paths = linked.fast-musl ++ linked.sized-jemalloc; };
  };
  # Reports what an executable file consists of.
  inspect = program { name = "inspect"; };
  # Writes nix/base/debian/debian.json.
  debian-lock = program { name = "debian-lock"; };
}
