# What the penalty of musl is made of, counted instead of timed: instructions of `single thread`, and getrandom system
# calls of `single thread, OS entropy`, in every variant. Bounds are on what is shipped; the stock variants stand beside it,
# so that the table shows what the bounds would catch.
{ derive, checkers, executables }:
derive {
  name = "counts";
  inherit checkers;
  variants = builtins.attrNames executables;
  executables = builtins.attrValues executables;
  baseline = "broker";
  stock = "broker-musl";
  shipped = "broker-static";
  script = ./counts.sh;
}
