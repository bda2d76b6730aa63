#!/bin/sh
# runner.sh <journal>: one run, from its decision to its empty tree of processes. Whoever starts it and whatever happens to them
# is all the same to it; it speaks through the files of its journal only.
umask_of_login=$(umask)
umask 077
kit=${0%/*}
. "$kit/lib.sh"
cd "$1" || exit 73
mkdir runner 2>/dev/null || exit 0
# Handlers, not `trap ''`: an ignored signal would be ignored by the user's processes as well.
trap : TERM HUP INT
unset SSH_CLIENT SSH_CONNECTION SSH_TTY SSH_ORIGINAL_COMMAND
load_meta
set_clock
boot_now
put boot "$boot"
read -r line </proc/self/stat
set -- ${line##*) }
born $$ && put proc "$$ $since $4 -"

# beats: a heartbeat each 10 s, and the log kept below 1 GiB. `base` moves first: a reader then misses bytes, never sees them twice.
beats() {
  while born "$1" && [ "$since" = "$2" ]; do
    unix_now
    put beat "$now $up"
    bytes=$(stat -c %s log)
    if [ "${bytes:-0}" -gt 1073741824 ]; then
      get base
      base=${record%% *}
      put base "$((${base:-0} + bytes))"
      : >log
    fi
    sleep 10
  done
}

# await_decision: after 600 s nobody means to start this any more, and a later `go` must lose.
await_decision() {
  uptime_now
  limit=$((up + 600))
  until [ -e decision ]; do
    [ "$up" -lt "$limit" ] || { put lost "abort $epoch"; ln lost decision 2>/dev/null; }
    nap
    uptime_now
  done
  get decision
}

# copy_log: bytes of the pipe to the log. A plain file would be cut by `tee /dev/stderr`, and its full disk would kill the run; here
# the reading end stays open while a failed `cat` is replaced.
copy_log() {
  while ! cat >>log; do [ -f log ] || break; done <pipe
  rm -f pipe
}

# load_environment: values keep their exact bytes. All are decoded before the first is exported, since PATH and the like would reach
# the decoder.
load_environment() {
  _sky_n=0
  # Not IFS='=', which would take the padding of the base64 away.
  while IFS= read -r _sky_line; do
    _sky_n=$((_sky_n + 1))
    _sky_value=$(printf %s "${_sky_line#*=}" | base64 -d && printf x)
    eval "_sky_name_$_sky_n=\${_sky_line%%=*} _sky_value_$_sky_n=\${_sky_value%x}"
  done <"$1"
  _sky_i=0
  while [ "$_sky_i" -lt "$_sky_n" ]; do
    _sky_i=$((_sky_i + 1))
    eval "export \"\$_sky_name_$_sky_i=\$_sky_value_$_sky_i\""
  done
}

# execute: becomes the user's process. The user's names may be any of ours, so they come last, when all words are in "$@". Bash is
# interactive so that ~/.bashrc counts; its complaints about a missing terminal go nowhere until rc.bash gives it descriptor 9.
execute() {
  IFS= read -r first <run
  bash=$(command -v bash)
  case $first in
    '#!'*) set -- "$PWD/run" ;;
    *) if [ -n "$bash" ]; then set -- "$bash" --rcfile "$kit/rc.bash" -i "$PWD/run"; else set -- "$(command -v sh)" "$PWD/run"; fi ;;
  esac
  set -- "$(command -v setsid)" "$@"
  env_file=$PWD/env
  # dash and busybox name it -w, bash -x.
  ulimit -S -w "$tag" 2>/dev/null || ulimit -S -x "$tag" 2>/dev/null
  umask "$umask_of_login"
  unix_now
  put start "$now"
  mkdir -p "$HOME/sky_workdir"
  cd "$HOME/sky_workdir" || exit 126
  export SKY_RUN="$marker"
  load_environment "$env_file"
  case $3 in --rcfile) exec "$@" 9>&2 2>/dev/null ;; *) exec "$@" ;; esac
}

beats $$ "$since" &
beats=$!
await_decision
case $record in go*) ;; *) kill "$beats"; exit 0 ;; esac

mkfifo pipe
copy_log &
( execute ) </dev/null >pipe 2>&1
code=$?
unix_now
put exit "$code $now"
sync exit
put oom -

# After a stop its signal and its grace count; 0 only looks.
signal=TERM
[ ! -e stop ] || { signal=0; read -r _ grace _ <stop; }
if end_tree "$signal" "$grace"; then
  # No writer is left, so the rest of the log is a matter of moments.
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ -p pipe ] || break
    nap
  done
  unix_now
  put empty "$now"
fi
kill "$beats"
