# shellcheck shell=bash
# Sourced by cargo.sh: when a command fails, says what a project has to state so that it builds, where that can be told
# from what was printed.
exec 2> >(tee "$NIX_BUILD_TOP/errors" >&2)

# Prints the advice for a text that holds what is printed by failures known here.
advice() {
  local text=$1 library
  library=$(sed -nE 's/.*unable to find library -l([^ ]+).*/\1/p' <<<"$text" | head -n 1)
  if [ "$library" = stdc++ ] || [ "$library" = c++ ]; then
    echo "this project links C++: write \`cxx = true;\` beside \`src\`"
  elif [ -n "$library" ]; then
    echo "there is no static library $library: turn on the feature of its crate that builds it from source (often named vendored, bundled or static)"
  fi
  case $text in
    *"Unable to find libclang"*) echo "bindgen needs libclang: write \`env = lib.bindgen;\` beside \`src\`" ;;
    *"is \`cmake\` not installed"*) echo "a build script needs cmake: write \`nativeInputs = [ lib.cmake ];\` beside \`src\`" ;;
    *"Command 'perl' not found"* | *'running "perl"'* | *"perl: not found"* | *'"perl"'*"No such file"*)
      # There may be a perl that something else was missing for.
      type -P perl >/dev/null ||
        echo "a build script needs perl: write \`nativeInputs = [ lib.perl ];\` beside \`src\`"
      ;;
    *pkg-config*"could not be found"* | *"Could not run"*pkg-config* | *"pkg-config has not been configured to support cross-compilation"*)
      echo "a build script asks pkg-config for a library of the system, of which there is none: turn on the feature of its crate that builds it from source (often named vendored, bundled or static)"
      ;;
  esac
  if grep -qiE 'could not resolve host|name resolution|failed to lookup address|network is unreachable' <<<"$text"; then
    echo "something was to be downloaded, and a build has no network: turn the download off by the crate's features or environment variables (\`env\`), or put the file into \`src\`"
  fi
}

on_exit() {
  local status=$?
  [ "$status" -ne 0 ] || return 0
  # What was printed last may still be on its way.
  sleep 0.2
  advice "$(cat "$NIX_BUILD_TOP/errors")" | sed 's/^/hint: /' >&2
}
trap on_exit EXIT
