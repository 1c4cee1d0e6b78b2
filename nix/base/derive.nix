# `derivation` with a shell. The programs of `nativeInputs` are on PATH; `script`, a file or a few lines of text, runs with
# `set -euo pipefail`; every other attribute is an environment variable, as with `derivation`.
{ system, shell }:
{ name, script, nativeInputs ? [ ], ... }@arguments:
derivation (
  removeAttrs arguments [ "script" "nativeInputs" ]
    // {
    inherit name system;
    builder = "${shell}/bin/bash";
    args = [ "-euo" "pipefail" (if builtins.isPath script then script else builtins.toFile "${name}.sh" script) ];
    PATH = builtins.concatStringsSep ":" (map (input: "${input}/bin") (nativeInputs ++ [ shell ]));
    # A sandbox has no /bin/sh. Configure scripts read this variable.
    CONFIG_SHELL = "${shell}/bin/sh";
    # Without a sandbox, builds must not read the home directory of the host.
    HOME = "/homeless";
    LC_ALL = "C";
    TZ = "UTC";
    SOURCE_DATE_EPOCH = "1";
  }
)
