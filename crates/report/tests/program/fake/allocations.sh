# Stands in for the executable of benchmarks. What is set above this line:
# MEDIAN  nanoseconds that a benchmark takes
# CRASH   a benchmark that crashes
# HANG    a benchmark that does not end
mode=
group=
samples=0
while [ $# -gt 0 ]; do
  case $1 in
  --list | --test | --bench) mode=$1 ;;
  --sample-size)
    samples=$2
    shift
    ;;
  --warm-up-time | --measurement-time | --nresamples) shift ;;
  --exact | --noplot) ;;
  --)
    group=$2
    shift
    ;;
  *)
    echo "unexpected argument $1" >&2
    exit 9
    ;;
  esac
  shift
done

if [ "$mode" = --list ]; then
  printf '%s: benchmark\n\n' 'single thread' 'single thread, OS entropy' 'a/b: <c> & "d"'
  exit
fi
if [ "$group" = "$CRASH" ]; then
  echo 'out of cheese' >&2
  kill -SEGV $$
fi
if [ "$group" = "$HANG" ]; then
  echo $$ >"$0.pid"
  sleep 600
fi
if [ "$mode" = --bench ]; then
  # As Criterion names its folders.
  folder=$CRITERION_HOME/$(printf %s "$group" | tr '?"/\\*<>:|^' '__________')/new
  mkdir -p "$folder"
  printf '{"median":{"point_estimate":%s},"median_abs_dev":{"point_estimate":1.5}}' \
    "$MEDIAN" >"$folder/estimates.json"
  iterations=$(seq -s, "$samples" | tr -c ',\n' 1 | sed 's/11*/1/g')
  printf '{"sampling_mode":"Flat","iters":[%s]}' "$iterations" >"$folder/sample.json"
fi
