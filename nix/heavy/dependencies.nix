# Programs with dependencies that often fail in static builds. The library builds each, and the program is inspected and run.
{ lib }:
let
  project = {
    src = ./dependencies;
    cargoHash = "sha256-YdTdh6tAkzl4KazP0zal6FXC1T1ON0kQ0fbojnsjVyc=";
  };
  programs = {
    assembly = { };
    bindgen = { env = lib.bindgen; };
    compression = { nativeInputs = [ lib.cmake ]; };
    curl = { nativeInputs = [ lib.perl ]; };
    cxx = { cxx = true; };
    libgit2 = { };
    macros = { };
    openssl = { nativeInputs = [ lib.perl ]; };
    sqlite = { };
    tls = { };
  };
  check = name: arguments: {
    name = "uses-${name}";
    value = lib.checkStatic { package = lib.buildStatic (project // { package = "uses-${name}"; } // arguments); run = [ ]; };
  };
in
builtins.listToAttrs (map (name: check name programs.${name}) (builtins.attrNames programs))
