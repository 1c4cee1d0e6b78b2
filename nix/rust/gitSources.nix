# The text of a configuration file that makes cargo take the packages of git repositories from the vendored folder. The argument
# is the list of packages in a lock.
packages:
let
  inherit (builtins) attrValues concatMap concatStringsSep elemAt fromJSON isString listToAttrs map match split toJSON;

  # Since version 4 of the lock, names of branches and tags are percent-encoded. This decodes ASCII.
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

  # The name is the one that `cargo vendor` proposes: a project's own configuration may contain the same source, and cargo
  # rejects one source with two names.
  replace = name: lines: {
    inherit name;
    value = concatStringsSep "\n" ([ "[source.${toJSON name}]" ] ++ lines ++ [ "replace-with = \"vendored-sources\"" "" ]);
  };
in
concatStringsSep "" (attrValues (listToAttrs (concatMap table packages)))
