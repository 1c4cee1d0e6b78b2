# Checks how a variant's executables are linked: a static file loads nothing, contains no path of the store or of the build,
# and is small; a dynamic file loads the base's glibc.
{ derive, cc, glibc, adapt }:
name: variant: build:
derive {
  name = "linkage-${name}";
  nativeInputs = [ cc ];
  inherit (variant) static;
  inherit glibc;
  executables = [ "${build.program}/bin/broker" "${build.benchmark}/bin/allocations" ];
  script = adapt ./linkage.sh;
}
