# The tests with real clients, and of the load generator, against Debian's nats-server: what passes there is what Broker
# has to pass.
{ cargo, workspace, common, allDependencies, reference }:
cargo (common // workspace // {
  name = "tests-reference";
  artifacts = allDependencies;
  command = ''
    SERVER_UNDER_TEST=nats-server:${reference}/usr/sbin/nats-server \
      cargo test $flags --test clients --test conformance --test load 2>&1 | tee $out
  '';
})
