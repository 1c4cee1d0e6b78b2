# shellcheck shell=bash disable=SC2154
read -ra names <<<"$variants"
read -ra programs <<<"$executables"
export VALGRIND_LIB=$checkers/usr/libexec/valgrind

# Prints the number of instructions that the command takes.
instructions() {
  "$checkers/usr/bin/valgrind.bin" --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1 |
    sed -n 's/.*Collected : \([0-9]*\)$/\1/p' | tail -n 1
}

# Prints the number of getrandom system calls that the command makes.
draws() {
  "$checkers/bin/strace" --follow-forks --trace=getrandom --output=trace "$@" >/dev/null 2>&1
  grep -c getrandom trace || true
}

declare -A counted drawn
for i in "${!names[@]}"; do
  program=${programs[i]}/bin/allocations
  # Without the instructions of the start. The random seeds of the map's hash change the count by less than 0.1 % between runs.
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
# The benchmark generates 20,000 UUIDs. If the kernel's vDSO lacks getrandom (before Linux 6.11), glibc makes system calls too.
if [ "${drawn[$stock]}" -lt 20000 ]; then
  echo "$stock makes only ${drawn[$stock]} getrandom system calls for 20,000 UUIDs: this check does not count them correctly" >&2
  failed=1
elif [ "${drawn[$baseline]}" -ge 20000 ]; then
  echo "This kernel's vDSO has no getrandom: the bound on system calls is not checked." | tee -a "$out"
elif [ "${drawn[$shipped]}" -gt 100 ]; then
  echo "$shipped makes ${drawn[$shipped]} getrandom system calls; the limit is 100" >&2
  failed=1
fi
[ -z "$failed" ]
