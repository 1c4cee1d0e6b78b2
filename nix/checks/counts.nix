# Counts the causes of the musl penalty instead of timing them: instructions of `single thread`, and getrandom system calls of
# `single thread, OS entropy`, in every variant. The bounds apply to the shipped variant; the stock variants are in the table
# to show what the bounds would catch.
{ derive, checkers, benchmarks }:
derive {
  name = "counts";
  inherit checkers;
  variants = builtins.attrNames benchmarks;
  executables = builtins.attrValues benchmarks;
  baseline = "broker";
  stock = "broker-musl";
  shipped = "broker-static";
  script = ./counts.sh;
}
