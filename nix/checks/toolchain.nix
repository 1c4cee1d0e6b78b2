# rust-toolchain.toml, flake.lock and the compiler itself are of one version.
{ derive, toolchain, pin, lock }:
derive {
  name = "toolchain-equality";
  tools = [ toolchain ];
  inherit pin lock;
  script = ''
    channel=$(sed -n 's/^channel = "\(.*\)"/\1/p' $pin)
    compiler=$(rustc --version | cut -d ' ' -f 2)
    other=$(sed -n 's/.*"url": "\(.*\)".*/\1/p' $lock | grep -v -e "-$channel[-.]" || true)
    if [ "$channel" != "$compiler" ] || [ -n "$other" ]; then
      echo "rust-toolchain.toml says $channel, the flake's compiler is $compiler; other versions in flake.lock: $other" >&2
      exit 1
    fi
    echo $channel | tee $out
  '';
}
