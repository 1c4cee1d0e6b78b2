# shellcheck shell=bash disable=SC2154 # variables of the derivation (checkStatic.nix)
eval "arguments=($arguments)"

# Runs the program $1 in an empty root or, if this build cannot change its root, with an empty environment.
alone() {
  local root=$PWD/root enter=() program=/$1
  [ -z "$emulator" ] || program="/emulator $program"
  if [ "$(id -u)" != 0 ]; then
    enter=("$(type -P unshare)" -Ur)
  fi
  enter+=("$(type -P chroot)" "$root")
  where="in an empty root"
  if ! "${enter[@]}" /true 2>/dev/null; then
    enter=()
    program="${emulator:+$emulator }$root/$1"
    where="with an empty environment: this build cannot change its root"
  fi
  # shellcheck disable=SC2086 # the emulator and the program
  timeout 60 env -i "${enter[@]}" $program "${arguments[@]}" </dev/null
}

for program in "$package"/bin/*; do
  name=${program##*/}
  inspect --expect "$expected" "$program" | tee -a "$out"
  [ -n "$runs" ] || continue

  rm -rf root
  mkdir root
  cp "$program" "root/$name"
  [ -z "$emulator" ] || cp "$emulator" root/emulator
  # busybox is static, so it shows whether the root can be changed at all.
  cp "$(readlink -f "$(type -P true)")" root/true
  status=0
  alone "$name" >output 2>&1 || status=$?
  if [ "$status" -ne 0 ]; then
    cat output >&2
    echo "$name ${arguments[*]} exited with code $status ($where); set \`run\` to arguments that make it exit by itself, or to null" >&2
    exit 1
  fi
  echo "$name: runs $where" | tee -a "$out"
done
