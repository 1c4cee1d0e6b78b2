# A cargo command over a workspace, without network: `source` laid over the workspace's `manifests`, with the target
# folder of an earlier call (`artifacts`) to go on from. The command is run in the workspace; `$flags` are for it.
{ derive, toolchain, cc, tools, environment }:
{ name, manifests, crates, command, source ? "", artifacts ? "", ... }@arguments:
derive (
  environment
  // arguments
    // {
    inherit source artifacts;
    tools = [ toolchain cc tools ] ++ arguments.tools or [ ];
    script = ./cargo.sh;
    # Panic messages name the crates' files; the store's path is no part of them.
    RUSTFLAGS = "--remap-path-prefix=${crates}=/crates ${arguments.rustflags or ""}";
    CFLAGS = "-ffile-prefix-map=${crates}=/crates";
  }
)
