# Runs a cargo command in a workspace, without network. All other arguments are environment variables of the command.
#
# manifests     the workspace's manifests (manifests.nix)
# source        files that are copied over the manifests
# command       shell text that runs in the workspace
# crates        the folder of the dependencies (crates.nix), if there are any
# artifacts     the target folder of an earlier command to start from
# target        the target triple that the command builds for, unless it is one of this machine's two
# rustflags     a list of flags for rustc, instead of those in the project's configuration
# nativeInputs  derivations whose programs are on PATH
{ derive, toolchain, cc, buildTools, host, targets, environment }:
{ name, manifests, command, crates ? "", target ? "", source ? "", artifacts ? "", rustflags ? [ ], ... }@arguments:
derive (
  environment ([ host.glibc host.musl ] ++ (if target == "" then [ ] else [ target ]))
  // removeAttrs arguments [ "rustflags" ]
  // (if rustflags == [ ] then { } else { RUSTFLAGS = builtins.concatStringsSep " " rustflags; })
    // {
    inherit crates source artifacts target cc;
    # The folder with the target's C library, which may not be clang's own.
    muslRoot = (targets.${target} or { }).muslRoot or cc;
    nativeInputs = arguments.nativeInputs or [ ] ++ [ toolchain cc buildTools ];
    hints = ./hints.sh;
    script = ./cargo.sh;
  }
)
