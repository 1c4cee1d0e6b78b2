# What `wanted`, the contents of wanted.json, asks for on one architecture, by Debian's name of it, in the form that
# debian-lock reads. A package that is for one alone has the architecture beside its name, as in Debian's own files:
# "qemu-user [amd64]". A set without packages is left out.
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
  # A set that asks for nothing on any architecture is a mistake, which debian-lock names.
  used = filter (name: sets.${name}.packages != [ ] || wanted.sets.${name}.packages == [ ]) (attrNames sets);
in
wanted // {
  inherit architecture;
  sets = listToAttrs (map (name: { inherit name; value = sets.${name}; }) used);
}
