#!/bin/sh
# stop.sh <journal>: ends every process of a run as its file `stop` says. Works without a runner too.
umask 077
. "${0%/*}/lib.sh"
cd "$1" || exit 73
exec 7>>stop.lock && flock -n 7 || exit 0
load_meta
set_clock
read -r signal grace cause _ <stop

# `stopped` means that the stop reached a run that was alive: one that had ended keeps its outcome.
# The exit record is looked at before the signal: afterwards the runner may have written what the signal caused.
deliver() {
  get exit
  ended=$record
  kill -s "$1" "$2" 2>/dev/null || return 0
  get stopped
  [ -z "$ended$record" ] || return 0
  unix_now
  put stopped "$cause $signal $now"
}

went() { get decision; case $record in go*) return 0 ;; *) return 1 ;; esac; }
# Between `go` and the user's first instruction there is nothing to signal yet, and empty proves nothing.
starting() { went && get exit && [ -z "$record" ] && alive; }

tries=0
until end_tree "$signal" "$grace" && ! starting; do
  tries=$((tries + 1))
  [ "$tries" -lt 100 ] || exit 1
  nap
done
# A living runner writes it itself, after the last bytes of the log.
went && ! alive && unix_now && put empty "$now"
