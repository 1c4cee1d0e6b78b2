# What Nix's own functions on strings lack.
let
  inherit (builtins) genList replaceStrings stringLength substring;
  characters = text: genList (index: substring index 1 text) (stringLength text);
in
{
  upper = replaceStrings (characters "abcdefghijklmnopqrstuvwxyz") (characters "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  lower = replaceStrings (characters "ABCDEFGHIJKLMNOPQRSTUVWXYZ") (characters "abcdefghijklmnopqrstuvwxyz");
  # One word to a shell.
  quote = text: "'${replaceStrings [ "'" ] [ "'\\''" ] text}'";
}
