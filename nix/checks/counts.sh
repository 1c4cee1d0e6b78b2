# shellcheck shell=bash disable=SC2154
read -ra names <<<"$variants"
read -ra programs <<<"$executables"
export VALGRIND_LIB=$checkers/usr/libexec/valgrind

# Instructions of a run with these arguments.
instructions() {
  "$checkers/usr/bin/valgrind.bin" --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1 |
    sed -n 's/.*Collected : \([0-9]*\)$/\1/p' | tail -n 1
}

# getrandom system calls of a run with these arguments.
draws() {
  "$checkers/bin/strace" --follow-forks --trace=getrandom --output=trace "$@" >/dev/null 2>&1
  grep -c getrandom trace || true
}

declare -A counted drawn
for i in "${!names[@]}"; do
  program=${programs[i]}/bin/allocations
  # Less what starting costs. Seeds of the map's hash differ from run to run, by less than one in a thousand.
  counted[${names[i]}]=$(($(instructions "$program" --test --exact "single thread") - $(instructions "$program" --list)))
  drawn[${names[i]}]=$(draws "$program" --test --exact "single thread, OS entropy")
done

{
  echo "| variant | instructions, single thread | ratio to $baseline | getrandom system calls, single thread, OS entropy |"
  echo "|---|---|---|---|"
  for name in "${names[@]}"; do
    ratio=$(awk -v a="${counted[$name]}" -v b="${counted[$baseline]}" 'BEGIN { printf "%.3f", a / b }')
    echo "| $name | ${counted[$name]} | $ratio | ${drawn[$name]} |"
  done
} | tee "$out"

failed=
if [ "${counted[$shipped]}" -gt "${counted[$baseline]}" ]; then
  echo "$shipped takes more instructions than $baseline" >&2
  failed=1
fi
# 20,000 UUIDs are drawn. Where the kernel has no getrandom in its vDSO (before Linux 6.11), glibc calls it as well.
if [ "${drawn[$stock]}" -lt 20000 ]; then
  echo "$stock makes ${drawn[$stock]} system calls for 20,000 UUIDs: this check no longer sees what it counts" >&2
  failed=1
elif [ "${drawn[$baseline]}" -ge 20000 ]; then
  echo "This kernel's vDSO has no getrandom: its bound is not checked." | tee -a "$out"
elif [ "${drawn[$shipped]}" -gt 100 ]; then
  echo "$shipped makes ${drawn[$shipped]} getrandom system calls, and 100 are allowed" >&2
  failed=1
fi
[ -z "$failed" ]
