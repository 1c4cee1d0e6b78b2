# Programs with the dependencies that static builds are known to fail at, each built through the library, looked at and run.
{ lib }:
let
  project = {
    src = ./dependencies;
    cargoHash = "sha256-CETnYT/EFClXXWQBDcxcZ1Wr/K54zzc332rWQfyrmfU=";
  };
  programs = {
    assembly = { };
    bindgen = { env = lib.bindgen; };
    compression = { nativeInputs = [ lib.cmake ]; };
    cxx = { cxx = true; };
    macros = { };
    # Not yet openssl: perl makes its assembly through /bin/sh, which a sandbox does not have.
    sqlite = { };
    tls = { };
  };
  check = name: arguments: {
    name = "uses-${name}";
    value = lib.checkStatic { package = lib.buildStatic (project // { package = "uses-${name}"; } // arguments); run = [ ]; };
  };
in
builtins.listToAttrs (map (name: check name programs.${name}) (builtins.attrNames programs))
