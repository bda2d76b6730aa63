# The host's leases, and what it is unless $only says `leases`, as lines `<word> <value>`.
tools() {
  for tool in base64 cat chmod df env find flock grep ln mkdir mv nproc readlink rm sed setsid sha256sum sleep sync tar tr uname; do
    command -v "$tool" >/dev/null 2>&1 || echo "missing $tool"
  done
}

gpus() {
  if command -v nvidia-smi >/dev/null 2>&1; then
    nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | sed 's/^/gpu /'
  elif command -v rocm-smi >/dev/null 2>&1; then
    rocm-smi --showid 2>/dev/null | sed -n 's/.*\(GUID\|Device ID\).*/gpu AMD/p'
  fi
}

may_write() {
  probe=$dir
  # What does not exist yet will be made in the nearest directory that does.
  while [ ! -e "$probe" ]; do probe=${probe%/*}; probe=${probe:-/}; done
  [ -d "$probe" ] && [ -w "$probe" ]
}

can_make_common() { [ -w /var/lib/sky ] || { [ ! -e /var/lib/sky ] && [ -w /var/lib ]; } || as_root true; }

leases() {
  for place in $places; do
    for file in "$place"/[0-9]*; do
      block=${file##*/}
      case $block in *[!0-9]*) continue ;; esac
      [ -f "$file" ] || continue
      read_lease "$file"
      [ -n "$nonce" ] || { echo "lease $block damaged - - -"; continue; }
      work_of "$nonce"
      mark_of "$file" "$nonce"
      state=pending was=-
      [ ! -s "$work/ready" ] || { state=ready; read -r was <"$work/ready"; }
      [ ! -e "$mark" ] || state=cleaning
      [ ! -s "$mark" ] || { state=dirty; read -r why <"$mark"; echo "dirty $nonce $why"; }
      echo "lease $block $state $was $nonce $content"
    done
  done
}

# what_it_is: GPU drivers take seconds to answer, so a list of leases does not ask for it.
what_it_is() {
  echo "os $(uname -s)"
  echo "arch $(uname -m)"
  echo "cpus $(nproc 2>/dev/null)"
  while read -r name kib _; do [ "$name" != MemTotal: ] || echo "memory $kib"; done </proc/meminfo
  df -Pk "$HOME" | { read -r _; read -r _ _ _ free _; echo "disk $free"; }
  echo "time $(date +%s)"
  [ "$dir" != "$at_home" ] || can_make_common || echo "place home"
  may_write || echo "unwritable $dir"
  as_root true && echo "sudo yes"
  tools
  gpus
}

main() {
  places || { echo "home unusable"; return; }
  boot_now && echo "boot $boot"
  echo "dir $dir"
  [ "$only" = leases ] || what_it_is
  leases
}
