#!/bin/sh
# Stands in for strace: two system calls besides and three for each sample.
table=
while [ "$1" != -- ]; do
  [ "$1" = -o ] && table=$2
  shift
done
shift
calls=2
before=
for argument; do
  [ "$before" = --sample-size ] && calls=$((2 + 3 * argument))
  before=$argument
done
{
  echo '% time     seconds  usecs/call     calls    errors syscall'
  echo '------ ----------- ----------- --------- --------- ----------------'
  printf '100.00    0.000000           0 %9d           getrandom\n' "$calls"
  echo '------ ----------- ----------- --------- --------- ----------------'
} >"$table"
exec "$@"
