# The tests with real clients against Debian's nats-server: what passes there is what Broker has to pass.
{ cargo, workspace, common, allDependencies, reference }:
cargo (common // workspace // {
  name = "tests-reference";
  artifacts = allDependencies;
  command = ''
    SERVER_UNDER_TEST=nats-server:${reference}/usr/sbin/nats-server cargo test $flags --test clients --test conformance 2>&1 | tee $out
  '';
})
