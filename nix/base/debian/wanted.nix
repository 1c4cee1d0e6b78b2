# The part of `wanted`, the contents of wanted.json, that applies to one architecture (by Debian's name), in the form that
# debian-lock reads. A package for only one architecture has the architecture after its name, as in Debian's own files:
# "qemu-user [amd64]". Sets that are then empty are left out.
{ architecture, wanted }:
let
  inherit (builtins) attrNames concatMap elemAt filter listToAttrs mapAttrs match;

  here = concatMap (entry:
    let named = match "([^ ]+) \\[([^ ]+)]" entry;
    in
    if named == null then [ entry ]
    else if elemAt named 1 == architecture then [ (elemAt named 0) ]
    else [ ]);
  sets = mapAttrs
    (_: set: set // {
      packages = here set.packages;
      without = here (set.without or [ ]);
    })
    wanted.sets;
  # A set that is empty on every architecture is a mistake, which debian-lock reports.
  used = filter (name: sets.${name}.packages != [ ] || wanted.sets.${name}.packages == [ ]) (attrNames sets);
in
wanted // {
  inherit architecture;
  sets = listToAttrs (map (name: { inherit name; value = sets.${name}; }) used);
}
