# The tests of the workspace's other crates.
{ cargo, workspace }:
cargo (workspace // {
  name = "tests-crates";
  command = "cargo test --locked --workspace --exclude broker 2>&1 | tee $out";
})
