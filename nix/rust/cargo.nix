# A cargo command over a workspace, without network: `source` laid over the workspace's `manifests`, with the target
# folder of an earlier call (`artifacts`) to go on from. The command is run in the workspace; `$flags` are for it.
#
# `target` is the target triple that the command builds for, if that is neither of this machine's two; `crates` are the
# dependencies, if there are any; `rustflags`, a list, takes the place of what the project's configuration has; `nativeInputs`
# are derivations whose programs are on PATH.
{ derive, toolchain, cc, buildTools, host, targets, environment }:
{ name, manifests, command, crates ? "", target ? "", source ? "", artifacts ? "", rustflags ? [ ], ... }@arguments:
derive (
  environment ([ host.glibc host.musl ] ++ (if target == "" then [ ] else [ target ]))
  // removeAttrs arguments [ "rustflags" ]
  // (if rustflags == [ ] then { } else { RUSTFLAGS = builtins.concatStringsSep " " rustflags; })
    // {
    inherit crates source artifacts target cc;
    # The folder of the target's C library, where that is another than clang's own.
    muslRoot = (targets.${target} or { }).muslRoot or cc;
    nativeInputs = arguments.nativeInputs or [ ] ++ [ toolchain cc buildTools ];
    hints = ./hints.sh;
    script = ./cargo.sh;
  }
)
