# A container image without a base image, as an OCI archive with one platform per target: the programs in /bin, the licence
# texts of everything in them, Debian's CA certificates, an unprivileged user, and an empty /tmp.
#
# targets       the target triples
# program       the program to start, if there are several
# command       a list of its default arguments, used when `docker run` has none
# image         NAME:TAG; by default the name and version of the package
# config        a set that is added to the image's configuration, with the keys of OCI: ExposedPorts, Env, Volumes …
# labels        a set; the org.opencontainers.image labels are taken from the manifest
# files         further files, by their path in the image
# licences      see licences.nix
{ derive, pack, build, licencesOf, certificates }:
{ program ? null, command ? [ ], image ? null, config ? { }, labels ? { }, files ? { }, licences ? { } }:
projects:
let
  inherit (builtins) attrNames concatStringsSep filter head listToAttrs replaceStrings toJSON;
  inherit (import ../rust/strings.nix) lower;
  inherit (head projects) package;
  inherit (package) name version;
  architectures = { x86_64-unknown-linux-musl = "amd64"; aarch64-unknown-linux-musl = "arm64"; };
  architectureOf = project:
    architectures.${project.target} or (throw "image: a program for ${project.target} needs files that an image without a base image lacks; `targets` can be: ${concatStringsSep ", " (attrNames architectures)}");

  about = filter ({ value, ... }: value != null) [
    { name = "title"; value = name; }
    { name = "version"; value = version; }
    { name = "description"; value = package.description; }
    { name = "licenses"; value = package.licence; }
    { name = "source"; value = package.repository; }
  ];
  standard = {
    Entrypoint = [ "/bin/${if program == null then "@program@" else program}" ];
    Cmd = command;
    User = "65532:65532";
    WorkingDir = "/";
    Env = [ "PATH=/bin" "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt" ] ++ config.Env or [ ];
    Labels = listToAttrs (map ({ name, value }: { name = "org.opencontainers.image.${name}"; inherit value; }) about)
      // config.Labels or { } // labels;
  };
in
derive {
  name = "${name}-${version}-image.tar";
  config = toJSON (standard // removeAttrs config [ "Env" "Labels" ]);
  image = if image != null then image else "${lower name}:${replaceStrings [ "+" ] [ "-" ] version}";
  platforms = concatStringsSep "\n" (map (project: "${architectureOf project} ${build project} ${licencesOf { inherit licences; } project}") projects);
  program = if program == null then "" else program;
  copyFiles = import ./copyFiles.nix files "shared";
  inherit certificates;
  nativeInputs = [ pack ];
  script = ''
    mkdir -p shared/etc/ssl/certs shared/tmp
    chmod 1777 shared/tmp
    cat $certificates/usr/share/ca-certificates/mozilla/*.crt >shared/etc/ssl/certs/ca-certificates.crt
    echo 'nonroot:x:65532:65532:nonroot:/:/sbin/nologin' >shared/etc/passwd
    echo 'nonroot:x:65532:' >shared/etc/group
    eval "$copyFiles"

    parts=()
    while read -r architecture programs licences; do
      mkdir -p $architecture/bin $architecture/usr/share
      cp $programs/bin/* $architecture/bin/
      cp -r $licences $architecture/usr/share/licenses
      parts+=(--platform "$architecture=$architecture")
      all=("$programs"/bin/*)
    done <<<"$platforms"
    if [[ $config == *@program@* && ''${#all[@]} -gt 1 ]]; then
      echo "the image has several programs, ''${all[*]##*/}: choose the one to start with \`program = \"…\";\`" >&2
      exit 1
    fi
    echo "''${config//@program@/''${all[0]##*/}}" >config.json
    if [ -n "$program" ] && [ ! -f "''${all[0]%/*}/$program" ]; then
      echo "there is no program $program; \`program\` is one of: ''${all[*]##*/}" >&2
      exit 1
    fi
    pack image --config config.json --name "$image" --shared shared "''${parts[@]}" --output $out
  '';
}
