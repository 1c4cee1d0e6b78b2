# Checks the Markdown pages: every link has a target, the command blocks for the sandbox run as written, and the
# Rust code of embedding.md is part of a test.
{ derive, program, natsServer, source }:
derive {
  name = "docs";
  inherit program natsServer source;
  links = ./docs/links.sh;
  blocks = ./docs/blocks.sh;
  script = ''
    (cd $source && bash $links) | tee $out
    # A block with a misspelt kind would never be run.
    if (cd $source && find . -name '*.md' -exec grep -nE '^ *```sh +[^ ]' {} /dev/null \;) |
      grep -vE ':```sh sandbox( serves)?$|^\./README\.md:[0-9]+:```sh (clone|develop)$'; then
      echo "the kind of these blocks must be sandbox or sandbox serves, in README.md also clone or develop" >&2
      exit 1
    fi
    # The test compiles the Rust code of the page.
    sed 's/^ *//' $source/tests/embedding.rs >compiled
    if awk '/^```/ { code = /^```rust/; next } code && NF' $source/docs/embedding.md | sed 's/^ *//' | grep -vxFf compiled; then
      echo "docs/embedding.md: tests/embedding.rs lacks these lines" >&2
      exit 1
    fi
    mkdir bin
    ln -s $program/bin/broker $natsServer bin/
    PATH=$PWD/bin:$PATH
    count=0
    for page in $(cd $source && find . -name '*.md' -exec grep -l '^```sh sandbox' {} +); do
      # Each page starts in an empty folder with the result of the README's first command.
      count=$((count + 1))
      mkdir $count
      ln -s $program $count/result
      (cd $count && bash $blocks sandbox $source/$page) | tee -a $out
    done
    [ $count -gt 0 ]
  '';
}
