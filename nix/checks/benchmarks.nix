# The benchmarks run in every variant, in turn; Criterion's results are kept. Short, and no bound on time: what times
# mean is for the report on a real machine.
{ derive, executables }:
derive {
  name = "benchmarks";
  variants = builtins.attrNames executables;
  executables = builtins.attrValues executables;
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
