# Third-party programs in the builds that the report compares. Evaluation reads their manifests, and fetches them for that with
# their dependencies, so no package or check of the flake may depend on this.
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

  # In the form that the report reads.
  measured = name: { version, arguments, input, bin ? name, own ? null, ... }: {
    inherit name arguments;
    about = "${version}, over ${inputs.${input}.about}${if own == null then "" else "; it brings ${own}"}";
    input = inputs.${input}.files;
    builds = mapAttrs (_: package: "${package}/bin/${bin}") built.${name};
  };
in
{
  inherit built inputs projects;
  # All fetched crates.
  fetched = base.derive {
    name = "fetched";
    crates = map (project: project.vendor) (attrValues projects);
    script = "echo $crates >$out";
  };
  # The benchmark with these programs added.
  bench = bench {
    more.builds = map ({ name, label, shipped ? false, ... }: { inherit name label shipped; }) builds;
    more.programs = map (name: measured name programs.${name}) (attrNames programs);
  };
}
