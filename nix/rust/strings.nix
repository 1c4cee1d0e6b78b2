# String functions that Nix lacks.
let
  inherit (builtins) genList replaceStrings stringLength substring;
  characters = text: genList (index: substring index 1 text) (stringLength text);
in
{
  upper = replaceStrings (characters "abcdefghijklmnopqrstuvwxyz") (characters "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  lower = replaceStrings (characters "ABCDEFGHIJKLMNOPQRSTUVWXYZ") (characters "abcdefghijklmnopqrstuvwxyz");
  # Quotes a word for a shell.
  quote = text: "'${replaceStrings [ "'" ] [ "'\\''" ] text}'";
}
