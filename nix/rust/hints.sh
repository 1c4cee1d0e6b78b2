# shellcheck shell=bash
# Sourced by cargo.sh. If a command fails with a known error message, prints what to change in the project.
exec 2> >(tee "$NIX_BUILD_TOP/errors" >&2)

# Prints the advice for the known error messages in a text.
advice() {
  local text=$1 library
  library=$(sed -nE 's/.*unable to find library -l([^ ]+).*/\1/p' <<<"$text" | head -n 1)
  if [ "$library" = stdc++ ] || [ "$library" = c++ ]; then
    echo "this project contains C++: write \`cxx = true;\` next to \`src\`"
  elif [ -n "$library" ]; then
    echo "there is no static library $library: turn on the feature of its crate that builds it from source (often named vendored, bundled or static)"
  fi
  case $text in
    *"Unable to find libclang"*) echo "bindgen needs libclang: write \`env = lib.bindgen;\` next to \`src\`" ;;
    *"is \`cmake\` not installed"*) echo "a build script needs cmake: write \`nativeInputs = [ lib.cmake ];\` next to \`src\`" ;;
    *"Command 'perl' not found"* | *'running "perl"'* | *"perl: not found"* | *'"perl"'*"No such file"*)
      # If perl is there, something else was missing.
      type -P perl >/dev/null ||
        echo "a build script needs perl: write \`nativeInputs = [ lib.perl ];\` next to \`src\`"
      ;;
    *pkg-config*"could not be found"* | *"Could not run"*pkg-config* | *"pkg-config has not been configured to support cross-compilation"*)
      echo "a build script asks pkg-config for a system library, and there are none: turn on the feature of its crate that builds it from source (often named vendored, bundled or static)"
      ;;
  esac
  if grep -qiE 'could not resolve host|name resolution|failed to lookup address|network is unreachable' <<<"$text"; then
    echo "a download failed, because builds have no network: turn the download off with the crate's features or environment variables (\`env\`), or add the file to \`src\`"
  fi
}

on_exit() {
  local status=$?
  [ "$status" -ne 0 ] || return 0
  # tee may not have written the last lines yet.
  sleep 0.2
  advice "$(cat "$NIX_BUILD_TOP/errors")" | sed 's/^/hint: /' >&2
}
trap on_exit EXIT
