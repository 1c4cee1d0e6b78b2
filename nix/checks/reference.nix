# The tests with real clients, and of the load generator, against Debian's nats-server: what passes there is what Broker
# has to pass.
{ project, source, allDependencies, reference }:
project.cargo {
  name = "tests-reference";
  inherit source;
  artifacts = allDependencies;
  command = ''
    SERVER_UNDER_TEST=nats-server:${reference}/usr/sbin/nats-server \
      cargo test ${project.flags} --test clients --test conformance --test load 2>&1 | tee $out
  '';
}
