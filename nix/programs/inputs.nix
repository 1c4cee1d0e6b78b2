# The input data of the programs: Rust's sources, and data that the program in inputs/ generates, always the same. `about` is the
# description in the report.
{ derive, lib, rust-src }:
let
  maker = lib.buildStatic { src = ./inputs; };
  make = name: command: derive {
    inherit name;
    nativeInputs = [ maker ];
    script = command;
  };
in
{
  json = { about = "200,000 records of JSON, 36 MB"; files = make "json" "inputs json >$out"; };
  picture = { about = "a picture of 800 x 600 points"; files = make "picture" "inputs picture >$out"; };
  folders = { about = "80,000 empty files in 1,600 folders"; files = make "folders" "inputs folders $out"; };
  migrations = { about = "a migration that makes and queries tables of 420,000 rows, in memory"; files = ./migrations; };
  # Several copies make a run long enough to be timed.
  sources = {
    about = "four copies of Rust's standard library";
    files = derive {
      name = "sources";
      library = "${rust-src}/rust-src/lib/rustlib/src/rust/library";
      script = ''
        mkdir $out
        for copy in 1 2 3 4; do
          cp -r $library $out/copy-$copy
          chmod -R u+w $out/copy-$copy
        done
      '';
    };
  };
}
