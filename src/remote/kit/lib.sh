# Sourced by every file of the kit. POSIX sh: dash, busybox ash and bash run it. Functions answer in variables, since a fork
# costs milliseconds and may be refused.
#
# A record is a file of 64 bytes, made blank beforehand and filled in place by one write of a builtin, so that neither a full disk
# nor a process limit can lose it. Blank means not there yet.

# put <name> <text>
put() { printf '%-63s\n' "$2" 1<>"$1"; }

# get <name>: record = its text, '' where it is absent or blank, '?' where it is no record.
get() {
  record=
  [ -f "$1" ] || return 0
  IFS= read -r record <"$1" || { case $record in *[!\ ]*) record='?' ;; *) record= ;; esac; return 0; }
  [ ${#record} -eq 63 ] || record='?'
}

nap() { sleep 0.2 2>/dev/null || sleep 1; }

# up = seconds since boot; now = Unix seconds, without a fork once `set_clock` has run.
uptime_now() { read -r up _ </proc/uptime; up=${up%.*}; }
set_clock() { uptime_now; epoch_of_boot=$(($(date +%s) - up)); }
unix_now() { uptime_now; now=$((epoch_of_boot + up)); }

boot_now() { read -r boot <"${SKY_BOOT_ID_FILE:-/proc/sys/kernel/random/boot_id}"; }

# born <pid>: since = start time of the process in ticks; fails where it is gone or a zombie.
born() {
  line=
  { IFS= read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
  set -f -- ${line##*) }
  set +f
  case $1 in Z | X) return 1 ;; esac
  since=${20}
}

# alive: the runner of the journal in the current directory; a reused pid has another start time.
alive() {
  get proc
  read -r pid started _ <<END
$record
END
  born "${pid:-0}" && [ "$since" = "$started" ]
}

# load_meta: variables of the run from the file that the operator wrote.
load_meta() {
  while IFS='=' read -r name value; do
    case $name in marker) marker=$value ;; tag) tag=$value ;; grace) grace=$value ;; epoch) epoch=$value ;; esac
  done <meta
}

# scan: pids = the living processes of the run, by the marker in their environment or the tag in a limit that nobody changes
# (programs may erase their environment). Fails where /proc does not show even the scan itself: then empty proves nothing. `env`,
# since a busybox that runs grep without exec would not have the variable in /proc.
scan() {
  pids=
  found=$(
    env "SKY_SCAN=$$" grep -lszxF -e "SKY_RUN=$marker" -e "SKY_SCAN=$$" /proc/self/environ /proc/[0-9]*/environ
    grep -ls "^Max file locks  *$tag " /proc/[0-9]*/limits
  )
  case $found in /proc/self/*) ;; *) return 1 ;; esac
  for file in $found; do
    file=${file#/proc/}
    file=${file%/*}
    case " self $pids " in *" $file "*) continue ;; esac
    born "$file" && pids="$pids $file"
  done
  return 0
}

# may <pid> <signal>: USR1 and USR2 kill every process that does not catch them.
may() {
  case $2 in USR1) bit=512 ;; USR2) bit=2048 ;; *) return 0 ;; esac
  while read -r name value; do
    [ "$name" != SigCgt: ] || { value=${value#????????}; [ $((0x$value & bit)) -ne 0 ]; return; }
  done <"/proc/$1/status"
  return 1
}

# deliver <signal> <pid>: stop.sh has its own, that takes a note.
deliver() { kill -s "$1" "$2" 2>/dev/null; }

# end_tree <signal> <grace s>: the signal once to every process of the run, also to later ones; KILL after the grace; succeeds
# when the tree was seen empty. Pids go one by one: `kill a b` fails when one is gone.
end_tree() {
  sent=
  uptime_now
  soft=$((up + $2))
  hard=$((soft + 30))
  while [ "$up" -lt "$hard" ]; do
    if scan; then
      [ -n "$pids" ] || return 0
      for pid in $pids; do
        if [ "$up" -ge "$soft" ]; then
          kill -s KILL "$pid" 2>/dev/null
        else
          case " $sent " in *" $pid "*) continue ;; esac
          sent="$sent $pid"
          ! may "$pid" "$1" || deliver "$1" "$pid"
        fi
      done
    fi
    nap
    uptime_now
  done
  return 1
}

# facts: facts = what the journal in the current directory says; size = bytes of its log. Liveness is read before `exit`, so that a
# run which ends in between shows its exit and not its death.
facts() {
  size=0
  exit_size=64
  boot_now
  facts="journal
now $boot"
  if alive; then life=alive; elif [ -n "$record" ]; then life=dead; else life=; fi
  [ -z "$life" ] || facts="$facts
alive $life"
  for name in $(stat -c '%n=%s=%Y' log exit runner decision 2>/dev/null); do
    value=${name#*=}
    case $name in
      log=*) size=${value%=*} ;;
      exit=*) exit_size=${value%=*} ;;
      runner=*) facts="$facts
runner ${value#*=}" ;;
      decision=*) facts="$facts
decided ${value#*=}" ;;
    esac
  done
  for name in boot decision start stopped empty oom exit; do
    if [ "$name" = exit ] && [ "$exit_size" -ne 64 ]; then record='?'; else get "$name"; fi
    [ -z "$record" ] || facts="$facts
$name $record"
  done
  get base
  base=${record%% *}
  base=${base:-0}
}

# facts_now: facts with what changes all the time.
facts_now() {
  get beat
  facts="$facts
base $base
bytes $size
beat $record
time $(date +%s)"
}
