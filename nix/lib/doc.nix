# A project's documentation, as HTML; a warning is an error.
project:
project.cargo {
  name = "${project.name}-doc";
  inherit (project) source;
  RUSTDOCFLAGS = "-D warnings";
  command = ''
    cargo doc ${toString project.flags} --no-deps
    mv target/${project.target}/doc $out
  '';
}
