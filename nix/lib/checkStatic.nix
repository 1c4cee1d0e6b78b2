# Fails unless a derivation's programs are what buildStatic promises: static, without a store path, hardened, with the
# requested allocator and routines in the file, and able to run in an empty root. The argument is the derivation, or a set:
#
# package     the derivation; its programs are in bin/
# malloc      "jemalloc", "mimalloc", "musl", or null for any
# routines    "fast-musl", or null for any
# run         the arguments that a program is started with; null if no arguments make it exit by itself
{ derive, inspect }:
asked:
let
  check =
    { package
    , malloc ? { system = "musl"; }.${allocatorOf package} or (allocatorOf package)
    , routines ? if package.musl or "fast" == "fast" then "fast-musl" else null
    , run ? [ "--version" ]
    }:
    derive {
      name = "static-${package.name}";
      inherit package;
      emulator = package.emulator or "";
      expected = builtins.concatStringsSep "," (
        [ "static" "nx" "relro" "no-store-paths" ]
        # For aarch64, rustc links static programs at a fixed address.
        ++ (if builtins.match "aarch64-.*" (package.target or "") != null then [ ] else [ "pie" ])
        ++ (if malloc == null then [ ] else [ "malloc=${malloc}" ])
        ++ (if routines == null then [ ] else [ "routines=${routines}" ])
      );
      runs = run != null;
      arguments = if run == null then "" else builtins.concatStringsSep " " (map quote run);
      nativeInputs = [ inspect ];
      script = ./checkStatic.sh;
    };
  allocatorOf = package: package.allocator or "jemalloc";
  inherit (import ../rust/strings.nix) quote;
in
check (if asked.type or null == "derivation" then { package = asked; } else asked)
