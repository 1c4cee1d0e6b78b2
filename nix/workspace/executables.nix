# The workspace's executables that measure Broker, renew its locks and inspect executables.
{ rust, files, linked }:
let
  executable = import ./executable.nix { inherit rust files; };
in
{
  # Compares the variants of Broker.
  report = executable { name = "report"; paths = [ "crates/survey/src" ]; };
  # The smallest server, which the report compares Broker with. It has the C library of broker-static, so only the work of
  # the two differs.
  least = executable { name = "least"; paths = linked.fast-musl; };
  # Time the routines of each C library.
  surveys = {
    glibc = executable { name = "survey"; target = rust.host.glibc; };
    stock-musl = executable { name = "survey"; };
    fast-musl = executable { name = "survey"; features = [ "fast" ]; paths = linked.fast-musl ++ linked.sized-jemalloc; };
  };
  # Reports what an executable file consists of.
  inspect = executable { name = "inspect"; };
  # Writes nix/base/debian/debian.json.
  debian-lock = executable { name = "debian-lock"; };
}
