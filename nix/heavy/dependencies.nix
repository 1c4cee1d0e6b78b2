# Programs with dependencies that often fail in static builds. The library builds each, and the program is inspected and run.
{ lib, target }:
let
  project = {
    inherit target;
    src = ./dependencies;
    cargoHash = "sha256-YdTdh6tAkzl4KazP0zal6FXC1T1ON0kQ0fbojnsjVyc=";
  };
  programs = {
    assembly = { };
    bindgen = { env = lib.bindgen; };
    compression = { nativeInputs = [ lib.cmake ]; };
    # OpenSSL, which takes most of the time, is compiled for the other check.
    curl = { nativeInputs = [ lib.perl ]; artifacts = lib.dependencies (lib.project (arguments "openssl")); };
    cxx = { cxx = true; };
    libgit2 = { };
    macros = { };
    openssl = { nativeInputs = [ lib.perl ]; };
    sqlite = { };
    tls = { };
  };
  arguments = name: project // { package = "uses-${name}"; } // programs.${name};
  check = name: {
    name = "uses-${name}";
    value = lib.checkStatic { package = lib.buildStatic (arguments name); run = [ ]; };
  };
in
builtins.listToAttrs (map check (builtins.attrNames programs))
