#!/usr/bin/env bash
# Runs the command blocks of Markdown pages as written: blocks.sh KIND PAGE...
#
# Bash runs each block that begins with ```sh KIND in the current folder, in the order of the page. A block with the further
# word "serves" ends with a server, which must keep running until this script ends it.
set -euo pipefail

kind=$1
shift
failed=0
count=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Writes each block of a page into a file named for its line. Then prints the number, and "serves" where it applies: the block
# may run as soon as the number is printed, because busybox awk flushes each line.
extract() {
  awk -v kind="$kind" -v folder="$work" '
    /^```/ {
      if (file) { close(file); file = ""; print block }
      else if ($1 == "```sh" && $2 == kind) {
        file = folder "/" NR
        printf "" >file
        block = NR " " $3
      }
      next
    }
    file { print >file }
    END { if (file) { close(file); print block } }' "$1"
}

# Succeeds if the output of a block has an error, or lacks the connection to the hub that --leaf asks for.
complains() {
  if grep -E 'command not found|\[FTL\]| ERROR ' "$2"; then return 0; fi
  grep -q -- --leaf "$1" && ! grep -q 'connected to hub' "$2"
}

# Runs a block. Succeeds if the block does, or if its server runs until SIGTERM. Ends the processes that the block leaves.
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
