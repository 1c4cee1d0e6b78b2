{
  description = "A program as one static Linux file";

  # Broker's flake: register it once with `nix registry add broker URL`, or write its URL here.
  inputs.broker.url = "flake:broker";

  outputs = { self, broker }:
    let
      lib = broker.lib.x86_64-linux;
      project = {
        src = self;
        # After a change of Cargo.lock: set it to "", and Nix prints the new value.
        cargoHash = "sha256-H1Fd6lC91SKNHnaL6adPOwxE+LUYQeovBVe04YOI7o4=";
      };
      words = lib.buildStatic project;
    in
    {
      packages.x86_64-linux.default = words;
      checks.x86_64-linux = {
        static = lib.checkStatic { package = words; run = [ ]; };
        test = lib.test project;
        clippy = lib.clippy project;
      };
      devShells.x86_64-linux.default = lib.devShell { };
    };
}
