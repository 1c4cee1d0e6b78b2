# The library's C library gets into programs whatever links them, and however they are compiled: each linker takes the
# objects that stand first in libc.a.
{ base, rust, lib }:
let
  inherit (base) derive cc linkers architecture;
  inherit (rust.host) musl;
  inherit (import ../rust/strings.nix) upper;
  # clang, which links by the program given. rustc knows by the end of its name what flags it takes.
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
