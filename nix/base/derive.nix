# `derivation` with a shell: `tools` come on PATH, `script` (a file, or a few lines of text) runs under `set -eu`, and
# every other attribute is an environment variable of it, as with `derivation`.
{ system, shell }:
{ name, script, tools ? [ ], ... }@arguments:
derivation (
  removeAttrs arguments [ "script" "tools" ]
    // {
    inherit name system;
    builder = "${shell}/bin/bash";
    args = [ "-euo" "pipefail" (if builtins.isPath script then script else builtins.toFile "${name}.sh" script) ];
    PATH = builtins.concatStringsSep ":" (map (tool: "${tool}/bin") (tools ++ [ shell ]));
    # A sandbox has no /bin/sh: this is where configure scripts find one.
    CONFIG_SHELL = "${shell}/bin/sh";
    # What builds look for at home must not come from the host when the sandbox is off.
    HOME = "/homeless";
    LC_ALL = "C";
    TZ = "UTC";
    SOURCE_DATE_EPOCH = "1";
  }
)
