# Programs of others in builds that are compared. Their manifests are read at evaluation, and are fetched for that, with
# what they depend on: so nothing that everybody evaluates may depend on this.
{ base, lib, rust-src, bench }:
let
  inherit (builtins) attrNames attrValues filter listToAttrs mapAttrs;
  programs = import ./programs.nix { inherit lib; };
  builds = import ./builds.nix { inherit lib; };
  inputs = import ./inputs.nix { inherit (base) derive; inherit lib rust-src; };

  projects = mapAttrs
    (name: { crate ? name, version, hash, build ? { }, ... }:
      lib.fetchCrate { name = crate; inherit version hash; } // { inherit name; } // build)
    programs;
  built = mapAttrs
    (name: project: listToAttrs (map
      (one: { inherit (one) name; value = one.build project; })
      (filter (one: !(one.allocator or false && programs.${name} ? own)) builds)))
    projects;

  # As the report wants it.
  measured = name: { version, arguments, input, bin ? name, own ? null, ... }: {
    inherit name arguments;
    about = "${version}, over ${inputs.${input}.about}${if own == null then "" else "; it brings ${own}"}";
    input = inputs.${input}.files;
    builds = mapAttrs (_: package: "${package}/bin/${bin}") built.${name};
  };
in
{
  inherit built inputs projects;
  # All that is fetched for them.
  fetched = base.derive {
    name = "fetched";
    crates = map (project: project.vendor) (attrValues projects);
    script = "echo $crates >$out";
  };
  # The benchmark, with these beside what it measures without them.
  bench = bench {
    more.builds = map ({ name, label, shipped ? false, ... }: { inherit name label shipped; }) builds;
    more.programs = map (name: measured name programs.${name}) (attrNames programs);
  };
}
