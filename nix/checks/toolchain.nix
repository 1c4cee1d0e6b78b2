# rust-toolchain.toml, flake.lock and the compiler itself are of one version; flake.lock has no others but the `older`.
{ derive, toolchain, pin, lock, older }:
derive {
  name = "toolchain-equality";
  tools = [ toolchain ];
  inherit pin lock older;
  script = ''
    channel=$(sed -n 's/^channel = "\(.*\)"/\1/p' $pin)
    compiler=$(rustc --version | cut -d ' ' -f 2)
    printf -- '-%s[-.]\n' $channel $older >known
    other=$(sed -n 's/.*"url": "\(.*\)".*/\1/p' $lock | grep -v -f known || true)
    if [ "$channel" != "$compiler" ] || [ -n "$other" ]; then
      echo "rust-toolchain.toml says $channel, the flake's compiler is $compiler; other versions in flake.lock: $other" >&2
      exit 1
    fi
    echo $channel | tee $out
  '';
}
