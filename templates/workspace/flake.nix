{
  description = "A workspace whose program is one static Linux file";

  # Broker's flake: register it once with `nix registry add broker URL`, or write its URL here.
  inputs.broker.url = "flake:broker";

  outputs = { self, broker }:
    let
      lib = broker.lib.x86_64-linux;
      # With dependencies from a registry: add `cargoHash = "";`, and Nix prints the value.
      project = { src = self; package = "words"; };
      words = lib.buildStatic project;
    in
    {
      packages.x86_64-linux = {
        default = words;
        glibc = lib.buildGlibc project;
      };
      checks.x86_64-linux = {
        static = lib.checkStatic { package = words; run = [ ]; };
        test = lib.test project;
        test-count = lib.test (project // { package = "count"; });
        clippy = lib.clippy project;
      };
      devShells.x86_64-linux.default = lib.devShell { };
    };
}
