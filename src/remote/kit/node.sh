#!/bin/sh
# node.sh <verb> <nonce> <root> <installation> <cluster uid> <slot> <instance id> <epoch> <journal> [argument...]
# One short call of the operator. Exit: 65 payload damaged, 73 disk, 75 epoch superseded, 76 another machine, 78 no such journal,
# 79 run still active.
umask_of_login=$(umask)
umask 077
kit=${0%/*}
. "$kit/lib.sh"
verb=$1 nonce=$2 root=$3 identity="$4 $5 $6 $7" epoch=$8 journal=$3/$9 new=
shift 9
printf '%s\n' "$nonce"

# guard: nothing is changed for another machine or by a superseded operator. Holds the lock until the call ends; children must
# not inherit it.
guard() {
  exec 9>>"$root/node/lock" && flock 9 || exit 73
  read -r found <"$root/node/id"
  [ "$found" = "$identity" ] || { echo "identity $found"; exit 76; }
  read -r seen <"$root/node/epoch"
  [ "$epoch" -ge "${seen:-0}" ] || { echo "epoch $seen"; exit 75; }
  [ "$epoch" -eq "${seen:-0}" ] || replace "$root/node/epoch" "$epoch"
}

replace() { echo "$2" >"$1.tmp" && sync "$1.tmp" && mv "$1.tmp" "$1" || exit 73; }

# receive <sha256>: the tar on stdin, verified and unpacked, in $new. Before the lock is taken: a connection that stalls must not
# hold it.
receive() {
  new=$root/node/new.$$
  trap 'rm -rf "$new"' EXIT
  rm -rf "$new"
  mkdir "$new" && cat >"$new/tar" || exit 73
  [ "$(sha256sum <"$new/tar")" = "$1  -" ] || exit 65
  ( cd "$new" && tar -xpf tar && rm tar ) || exit 73
}

enter() { cd "$journal" 2>/dev/null || exit 78; }

# decide <go|abort>: the candidate is written and checked before it is linked; the link is the decision and is made once.
decide() {
  [ ! -e decision ] || return 0
  put "$1" "$1 $epoch"
  get "$1"
  case $record in "$1 $epoch "*) ln "$1" decision 2>/dev/null ;; *) exit 73 ;; esac
}

answer_decision() {
  get decision
  echo "decision ${record%% *}"
}

# detached <script>: survives the channel. No `&`, which would make INT ignored in the whole run.
detached() {
  ( umask "$umask_of_login"; exec setsid sh -c 'exec setsid sh "$0" "$1"' "$1" "$journal" </dev/null >/dev/null 2>&1 9>&- )
}

do_prepare() {
  [ -d "$journal" ] || receive "$1"
  guard
  if ! [ -d "$journal" ]; then
    # It was there a moment ago and has been removed since: the next call brings the files again.
    [ -n "$new" ] || exit 78
    cd "$new" || exit 73
    for name in exit empty stopped start boot proc oom base beat go abort lost; do
      printf '%64s' '' >"$name" || exit 73
    done
    : >log
    sync ./*
    mkdir -p "${journal%/*}" && mv "$new" "$journal" || exit 73
  fi
  enter
  [ -d runner ] || detached "$kit/runner.sh"
  for _ in 1 2 3 4 5; do
    alive && break
    nap
  done
  facts
  facts_now
  echo "$facts"
}

do_go() { guard; enter; decide go; answer_decision; }
do_abort() { guard; enter; decide abort; answer_decision; }

# stop <signal> <grace s> <cause>: a run that has no decision yet is aborted, so that it cannot start after it was stopped.
do_stop() {
  guard
  enter
  decide abort
  [ -e stop ] || replace stop "$1 $2 $3 $epoch"
  detached "$kit/stop.sh"
}

do_read() {
  enter
  facts
  facts_now
  printf '%s\n\n' "$facts"
  tail -c 4096 log
}

do_remove() {
  guard
  [ -d "$journal" ] || return 0
  enter
  load_meta
  decide abort
  ! alive || exit 79
  scan && [ -z "$pids" ] || exit 79
  mv "$journal" "$root/node/old.$$" && rm -rf "$root/node/old.$$"
}

# place <tar's sha256> <set's hash>: `index` has lines `<member> <path>`. All files are beside their targets before the first is
# renamed. A set stays recorded until another one writes one of its paths.
do_place() {
  sets=$root/node/files
  mkdir -p "$sets"
  [ ! -f "$sets/$2" ] || return 0
  receive "$1"
  guard
  : >"$new/paths"
  while IFS= read -r line; do
    target=${line#* }
    case $target in /*) ;; "~/"*) target=$HOME/${target#??} ;; *) target=$HOME/sky_workdir/$target ;; esac
    ( umask "$umask_of_login"; mkdir -p "${target%/*}" ) 2>/dev/null && [ ! -d "$target" ] || refuse "$target"
    mv "$new/${line%% *}" "$target.sky-new" 2>/dev/null || refuse "$target"
    printf '%s\n' "$target" >>"$new/paths"
  done <"$new/index"
  for set in "$sets"/*; do
    ! grep -qxFf "$new/paths" "$set" 2>/dev/null || rm -f "$set"
  done
  while IFS= read -r target; do
    mv "$target.sky-new" "$target" 2>/dev/null || refuse "$target"
  done <"$new/paths"
  mv "$new/paths" "$sets/$2" || exit 73
}

# refuse <target>: leaves no file of the set behind.
refuse() {
  while IFS= read -r target; do rm -f "$target.sky-new"; done <"$new/paths"
  echo "cannot write $1"
  exit 77
}

"do_$verb" "$@"
