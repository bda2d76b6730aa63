# Gives back the lease $lease_id: `released`, `gone` (there is no such lease) or `dirty <why>`. May be repeated; the lease itself
# goes last, so that nobody gets a host with something of another on it.
dirty() {
  echo "$1" >"$mark"
  echo "dirty $1"
  exit 0
}

# scan: pids = living processes of the lease, by their environment. False where /proc does not even show the scan itself: then
# nothing found proves nothing.
scan() {
  pids=
  found=$(env "SKY_SCAN=$$" grep -lszxF -e "SKY_LEASE=$lease_id" -e "SKY_SCAN=$$" /proc/self/environ /proc/[0-9]*/environ)
  case $found in /proc/self/*) ;; *) return 1 ;; esac
  for found in $found; do
    found=${found#/proc/}
    found=${found%/*}
    [ "$found" = self ] || [ ! -e "/proc/$found" ] || pids="$pids $found"
  done
}

# end_processes <signal> <rounds>: true once none is left.
end_processes() {
  rounds=$2
  while scan; do
    [ -n "$pids" ] || return 0
    [ "$rounds" -gt 0 ] || return 1
    rounds=$((rounds - 1))
    for pid in $pids; do kill -s "$1" "$pid" 2>/dev/null; done
    sleep 0.2 2>/dev/null || sleep 1
  done
  return 1
}

make_mark() { [ -e "$mark" ] || : >"$mark"; }

wipe() {
  [ -e "$work" ] || return 0
  chmod -R u+rwx "$work" 2>/dev/null
  rm -rf "$work" 2>/dev/null || as_root rm -rf "$work"
  [ ! -e "$work" ]
}

remove_keys() {
  keys_file
  [ -e "$keys" ] || return 0
  keys_without "$lease_id" >"$keys.sky-$$" && mv "$keys.sky-$$" "$keys" || { rm -f "$keys.sky-$$"; return 1; }
  [ -s "$keys" ] || rm -f "$keys"
}

# Under the lock: between the look and the removal nobody else can have given it back, and a third one taken it.
remove_lease() {
  read_lease "$file"
  [ "$nonce" = "$lease_id" ] || return 0
  rm "$file" 2>/dev/null
}

main() {
  places && find_lease "$lease_id" || { echo gone; return; }
  work_of "$lease_id"
  mark_of "$file" "$lease_id"
  # Before anything is undone: from now on the lease is not taken for one in use.
  under_lock make_mark || { echo "dirty cannot write in ${mark%/*}"; return; }
  # Nobody new comes in.
  rm -f "$work/enter" 2>/dev/null
  end_processes TERM 15 || end_processes KILL 25 || dirty "processes of the lease do not end"
  wipe || dirty "cannot remove $work"
  under_lock remove_keys || dirty "cannot take the keys out of $HOME/.ssh/authorized_keys"
  under_lock remove_lease || dirty "cannot remove $file"
  rm -f "$mark" "${file%/*}/.$lease_id".*
  echo released
}
