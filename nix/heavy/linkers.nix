# Programs get the library's C library with every linker and in every profile: each linker takes the first objects in libc.a
# that define a name.
{ base, rust, lib }:
let
  inherit (base) derive cc linkers architecture;
  inherit (rust.host) musl;
  inherit (import ../rust/strings.nix) upper;
  # A clang that links with `program`. The end of its name, -clang, tells rustc which flags it accepts. ways.sh makes its own,
  # because the linkers for both architectures are columns of its table.
  linker = name: program: "${derive {
    inherit name cc program;
    script = ''
      {
        echo "#!$CONFIG_SHELL"
        echo "exec $cc/bin/clang --target=${musl} --ld-path=$program \"\$@\""
      } >$out
      chmod +x $out
    '';
  }}";
  programs = {
    lld = "rust-lld";
    gnu = linker "gnu-clang" "${linkers}/bin/${architecture.cpu}-linux-gnu-ld.bfd";
    mold = linker "mold-clang" "${linkers}/bin/mold";
  };
  check = by: profile: {
    name = "linked-by-${by}-${profile}";
    value = lib.checkStatic {
      package = lib.buildStatic {
        name = "words-${by}-${profile}";
        src = ../../templates/workspace;
        package = "words";
        inherit profile;
        env."CARGO_TARGET_${upper (builtins.replaceStrings [ "-" ] [ "_" ] musl)}_LINKER" = programs.${by};
      };
      run = [ ];
    };
  };
in
# The template's release profile has fat LTO; a debug build has no optimisation at all.
builtins.listToAttrs (builtins.concatMap (by: map (check by) [ "release" "dev" ]) (builtins.attrNames programs))
