# The pages: their links lead somewhere, and their commands for the sandbox run as they are written.
{ derive, program, natsServer, source }:
derive {
  name = "docs";
  inherit program natsServer source;
  links = ./docs/links.sh;
  blocks = ./docs/blocks.sh;
  script = ''
    (cd $source && bash $links) | tee $out
    # A kind that is misspelt would never be run.
    if (cd $source && find . -name '*.md' -exec grep -nE '^ *```sh +[^ ]' {} /dev/null \;) |
      grep -vE ':```sh sandbox( serves)?$|^\./README\.md:[0-9]+:```sh (clone|develop)$'; then
      echo "these blocks are of no kind that is run: sandbox, sandbox serves; in README.md also clone, develop" >&2
      exit 1
    fi
    mkdir bin
    ln -s $program/bin/broker $natsServer bin/
    PATH=$PWD/bin:$PATH
    count=0
    for page in $(cd $source && find . -name '*.md' -exec grep -l '^```sh sandbox' {} +); do
      # Each page starts in an empty folder, but for what the README's first command makes.
      count=$((count + 1))
      mkdir $count
      ln -s $program $count/result
      (cd $count && bash $blocks sandbox $source/$page) | tee -a $out
    done
    [ $count -gt 0 ]
  '';
}
