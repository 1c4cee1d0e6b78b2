# shellcheck shell=bash disable=SC2154
# The host's certificates if the sandbox has them, since they may contain a private certificate authority; otherwise Debian's.
export CARGO_HOME=$NIX_BUILD_TOP/cargo
export CARGO_HTTP_CAINFO=/etc/ssl/certs/ca-certificates.crt
if [ ! -r "$CARGO_HTTP_CAINFO" ]; then
  CARGO_HTTP_CAINFO=$NIX_BUILD_TOP/certificates.crt
  cat "$certificates"/usr/share/ca-certificates/mozilla/*.crt >"$CARGO_HTTP_CAINFO"
fi

eval "$fetch"
