#!/usr/bin/env bash
# Runs the commands of Markdown pages as they are written: blocks.sh KIND PAGE...
#
# A block that begins with ```sh KIND is run by the shell in the current folder, after those before it. With a further word
# "serves", it ends with a server, which has to run on and is ended.
set -euo pipefail

kind=$1
shift
failed=0
count=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Writes each block of a page into a file named for its line, and "serves" after the number where it applies.
extract() {
  awk -v kind="$kind" -v folder="$work" '
    /^```/ {
      if (file) { close(file); file = "" }
      else if ($1 == "```sh" && $2 == kind) {
        file = folder "/" NR
        printf "" >file
        print NR, $3
      }
      next
    }
    file { print >file }' "$1"
}

# Whether the servers of a block report a failure, or do not report that a leaf node is connected.
complains() {
  if grep -E 'command not found|\[FTL\]| ERROR ' "$2"; then return 0; fi
  grep -q -- --leaf "$1" && ! grep -q 'connected to hub' "$2"
}

# Runs a block. Succeeds if the block does, or if it serves until it is told to end. Ends what it has left running.
runs() {
  local process status=0 expected=0
  setsid bash -eu -o pipefail "$1" </dev/null &
  process=$!
  if [ "$2" = serves ]; then
    sleep 3
    kill -TERM -- -$process || return 1
  fi
  wait $process || status=$?
  kill -KILL -- -$process 2>/dev/null || true
  # The shell that waits for a server is ended by SIGTERM.
  [ "$2" != serves ] || expected=143
  [ "$status" = "$expected" ]
}

for page in "$@"; do
  while read -r line serves; do
    count=$((count + 1))
    if runs "$work/$line" "$serves" >"$work/output" 2>&1 && ! complains "$work/$line" "$work/output"; then
      echo "ok: $page:$line"
    else
      failed=$((failed + 1))
      echo "FAILED: $page:$line"
      cat "$work/$line" "$work/output"
    fi
  done < <(extract "$page")
done
echo "test result: $([ $failed = 0 ] && echo ok || echo FAILED). $((count - failed)) passed; $failed failed"
[ $failed = 0 ] && [ $count -gt 0 ]
