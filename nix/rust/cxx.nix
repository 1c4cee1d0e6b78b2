# The environment variables with which build scripts and the linker build C++ for a target. Fetching libc++ takes 200 MB, so a
# project has to ask for it; otherwise the C++ compiler is a script that prints how.
{ derive, targets }:
target: wanted:
let
  inherit (targets.${target}) libcxx;
  name = builtins.replaceStrings [ "-" ] [ "_" ] target;
  refusal = derive {
    name = "no-cxx";
    script = ''
      mkdir -p $out/bin
      {
        echo "#!$CONFIG_SHELL"
        echo 'echo "This project contains C++: write \`cxx = true;\` next to \`src\` in its flake.nix." >&2'
        echo 'exit 1'
      } >$out/bin/c++
      chmod +x $out/bin/c++
    '';
  };
in
if libcxx == null then { }
else if wanted then { "CXX_${name}" = "${libcxx}/bin/clang++"; "CXXSTDLIB_${name}" = "c++"; inherit libcxx; }
else { "CXX_${name}" = "${refusal}/bin/c++"; }
