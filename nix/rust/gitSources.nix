# What tells cargo to take the packages of git repositories from the vendored folder, as the text of a configuration file.
# The argument is the packages of a lock.
packages:
let
  inherit (builtins) attrValues concatMap concatStringsSep elemAt fromJSON isString listToAttrs map match split toJSON;

  # Names of branches and tags are percent-encoded from version 4 of the lock on; what this decodes is ASCII.
  decode = text: concatStringsSep "" (map
    (part: if isString part then part else fromJSON ''"\u00${elemAt part 0}"'')
    (split "%([0-9A-F]{2})" text));

  # A package's source is such as "git+https://github.com/owner/name?branch=next#<commit>".
  table = package:
    let
      found = match "git\\+([^?#]*)([?](branch|tag|rev)=([^#]*))?#.*" (package.source or "");
      url = elemAt found 0;
      kind = elemAt found 2;
      value = decode (elemAt found 3);
    in
    if found == null then [ ]
    else if kind == null then [ (replace "git+${url}" [ "git = ${toJSON url}" ]) ]
    else [ (replace "git+${url}?${kind}=${value}" [ "git = ${toJSON url}" "${kind} = ${toJSON value}" ]) ];

  # The name is the one that `cargo vendor` proposes: a project's own configuration may have the same source, and cargo does
  # not take it by two names.
  replace = name: lines: {
    inherit name;
    value = concatStringsSep "\n" ([ "[source.${toJSON name}]" ] ++ lines ++ [ "replace-with = \"vendored-sources\"" "" ]);
  };
in
concatStringsSep "" (attrValues (listToAttrs (concatMap table packages)))
