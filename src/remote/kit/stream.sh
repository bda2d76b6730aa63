#!/bin/sh
# stream.sh <nonce> <journal> <offset>: frames for the operator until the run is over and its log sent. Lengths come first, so
# that no output of the run can be taken for a frame:
#   L <offset> <length>\n<bytes>   S <length>\n<facts>   H <unix s> <uptime s>\n   N <length>\n<words>
LC_ALL=C
. "${0%/*}/lib.sh"
cd "$2" 2>/dev/null || exit 78
printf '%s\n' "$1"
position=$3
told= over= opened= last_beat=-10 idle=0

# open_log: descriptor 3 at `position`. dd is the one reader that takes exactly what it is told on every system.
open_log() {
  exec 3<log
  opened=$base
  skip=$((position - base))
  dd bs=65536 skip=$((skip / 65536)) count=0 <&3 2>/dev/null
  [ $((skip % 65536)) -eq 0 ] || dd bs=$((skip % 65536)) count=1 <&3 >/dev/null 2>&1
}

notice() { printf 'N %s\n%s' "${#1}" "$1"; }

send_log() {
  end=$((base + size))
  [ "$position" -lt "$end" ] || return 0
  idle=0
  if [ "$position" -lt "$base" ]; then
    notice "about $((base - position)) bytes are missing here: the log was cut at its limit"
    position=$base
  fi
  [ "$opened" = "$base" ] || open_log
  while [ "$position" -lt "$end" ]; do
    length=$((end - position))
    [ "$length" -le 65536 ] || length=65536
    printf 'L %s %s\n' "$position" "$length"
    dd bs="$length" count=1 <&3 2>/dev/null
    position=$((position + length))
  done
}

while :; do
  was_over=$over
  facts
  case $facts in *"
empty "* | *"
decision abort "*) over=yes ;; esac
  uptime_now
  beat=
  [ $((up - last_beat)) -lt 10 ] || beat=yes
  if [ "$facts" != "$told" ] || [ -n "$beat" ]; then
    [ "$facts" = "$told" ] || idle=0
    told=$facts
    facts_now
    printf 'S %s\n%s' "${#facts}" "$facts"
  fi
  if [ -n "$beat" ]; then
    last_beat=$up
    printf 'H %s %s\n' "$(date +%s)" "$up"
  fi
  send_log
  # The size was read before `empty`, so only the round after it is known to have sent all.
  [ -z "$was_over" ] || exit 0
  idle=$((idle + 1))
  if [ "$idle" -lt 25 ]; then nap; else sleep 1; fi
done
