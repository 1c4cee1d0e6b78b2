# The benchmarks run in every variant, one variant after the other; Criterion's results are kept. The runs are short, and no
# time is bounded: times are for the report on a real machine.
{ derive, benchmarks }:
derive {
  name = "benchmarks";
  variants = builtins.attrNames benchmarks;
  executables = builtins.attrValues benchmarks;
  groups = builtins.concatStringsSep "\n" [
    "single thread"
    "multi thread"
    "single thread, OS entropy"
    "multi thread, OS entropy"
    "churn"
    "cross-thread free"
    "growth"
  ];
  script = ./benchmarks.sh;
}
