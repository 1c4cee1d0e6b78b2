#!/bin/sh
# A build of another kind, which is what it is called: two rows, each of 1,000 ns.
build="{\"kind\":\"${0##*/}\",\"version\":null}"
case $2 in
--list) echo "{\"build\":$build,\"rows\":[\"math: sin\",\"math: cos\"]}" ;;
--row) echo "{\"build\":$build,\"rows\":[{\"name\":\"$3\",\"nanoseconds\":1000}]}" ;;
esac
