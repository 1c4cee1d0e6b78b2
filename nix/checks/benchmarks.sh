# shellcheck shell=bash disable=SC2154
read -ra names <<<"$variants"
read -ra programs <<<"$executables"
mkdir "$out"

# Prints Criterion's median from the file $1, in nanoseconds.
median() {
  sed -n 's/.*"median":{"confidence_interval":{[^}]*},"point_estimate":\([0-9.e+]*\).*/\1/p' "$1"
}

{
  echo "Median in ms (ratio to ${names[0]}), from few samples"
  echo
  echo "| benchmark | ${variants// / | } |"
  echo "|---|${names[*]/*/---|}"
} | tee "$out/summary.md"

while read -r group; do
  row="| $group |"
  base=
  for i in "${!names[@]}"; do
    program=${programs[i]}/bin/allocations
    CRITERION_HOME=$out/${names[i]} "$program" --exact "$group" \
      --sample-size 10 --warm-up-time 0.2 --measurement-time 1 >>"$out/log" 2>&1
    estimates=$out/${names[i]}/$group/new/estimates.json
    if [ ! -s "$estimates" ]; then
      echo "${names[i]}: no result for the benchmark '$group'" >&2
      exit 1
    fi
    : "${base:=$(median "$estimates")}"
    row+=$(median "$estimates" | awk -v base="$base" \
      '$1 > 0 { printf " %.3f (%.2f) |", $1 / 1e6, $1 / base; found = 1 } END { exit !found }') || {
      echo "${names[i]}: the benchmark '$group' took no time" >&2
      exit 1
    }
  done
  echo "$row" | tee -a "$out/summary.md"
done <<<"$groups"
