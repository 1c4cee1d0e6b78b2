#!/usr/bin/env bash
# Checks the links within the Markdown files below the current folder: each names a file or folder that exists, and a heading
# of it. Links to other sites are not followed.
set -euo pipefail

# The anchors of a page's headings, as GitHub makes them.
anchors() {
  awk '
    /^```/ { code = !code }
    !code && /^#+ / {
      sub(/^#+ +/, "")
      gsub(/\]\([^)]*\)/, "")
      $0 = tolower($0)
      gsub(/[][!"#$%&()*+,.\/:;<=>?@\\^`{|}~\047]/, "")
      gsub(/ /, "-")
      print $0 (seen[$0]++ ? "-" seen[$0] - 1 : "")
    }' "$1"
}

# The targets of a page's links and pictures.
targets() {
  awk '
    /^```/ { code = !code }
    !code {
      gsub(/`[^`]*`/, "")
      while (match($0, /\]\([^)]*\)|(src|href)="[^"]*"/)) {
        target = substr($0, RSTART, RLENGTH)
        $0 = substr($0, RSTART + RLENGTH)
        gsub(/^\]\(|\)$|^(src|href)="|"$/, "", target)
        print target
      }
    }' "$1"
}

failed=0
count=0
while read -r page; do
  while read -r target; do
    case $target in http://* | https://* | mailto:*) continue ;; esac
    count=$((count + 1))
    file=${target%%#*}
    anchor=
    [ "$file" = "$target" ] || anchor=${target#*#}
    path=$page
    [ -z "$file" ] || path=$(dirname "$page")/$file
    if [ ! -e "$path" ]; then
      echo "FAILED: $page: there is no $target"
      failed=$((failed + 1))
    elif [ -n "$anchor" ] && ! anchors "$path" | grep -xF -- "$anchor" >/dev/null; then
      echo "FAILED: $page: $path has no heading #$anchor"
      failed=$((failed + 1))
    fi
  done < <(targets "$page")
done < <(find . -name '*.md' ! -path './target/*' | sort)
echo "test result: $([ $failed = 0 ] && echo ok || echo FAILED). $((count - failed)) passed; $failed failed"
[ $failed = 0 ] && [ $count -gt 0 ]
