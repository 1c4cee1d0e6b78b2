{
  description = "A program as one static Linux file";

  # Where Broker's flake is: `nix registry add broker URL` says it once for this machine, or write the URL here.
  inputs.broker.url = "flake:broker";

  outputs = { self, broker }:
    let
      lib = broker.lib.x86_64-linux;
      project = {
        src = self;
        # After a change of Cargo.lock: empty it, and Nix says what to write.
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
