# Comes first in everything that is sent to a host. POSIX sh. The caller has set, each a word of [A-Za-z0-9+/=] or empty:
#   asked      base64 of spec.config.leaseDirectory
#   password   base64 of the sudo password
# Nothing runs before the last line has arrived: a connection that is cut in the middle of a script does nothing.
umask 077
export LC_ALL=C

decoded() { printf %s "$1" | base64 -d; }

# printf is a builtin, so the password is in no argument list.
as_root() {
  sudo -n "$@" 2>/dev/null && return
  [ -n "$password" ] && decoded "$password" | { cat; echo; } | sudo -S -p '' "$@" 2>/dev/null
}

# places: dir = where leases are made, places = everywhere they may be, base = what else is ours. False where no path can be
# told from a shell's syntax.
places() {
  case $HOME in /*) ;; *) return 1 ;; esac
  case $HOME in *[!A-Za-z0-9._/+@-]*) return 1 ;; esac
  # Homes may be shared by hosts: leases in them are each host's own.
  node=$(uname -n | tr -c 'A-Za-z0-9.\n-' _)
  base=$HOME/.sky-operator
  at_home=$base/leases/$node
  path=$(decoded "$asked")
  case $path in
    '') dir=$at_home; [ ! -w /var/lib/sky/leases ] || dir=/var/lib/sky/leases; places="/var/lib/sky/leases $at_home" ;;
    "~/"*) dir=$HOME/${path#??}/$node; places=$dir ;;
    *) dir=$path; places=$dir ;;
  esac
}

# make_place: the directory of new leases. Everybody may add leases to the common one, and remove only their own.
make_place() {
  if [ -z "$path" ] && [ ! -e /var/lib/sky/leases ]; then
    make_common || as_root sh -c 'umask 022; mkdir -p /var/lib/sky && mkdir -m 1777 /var/lib/sky/leases'
    [ ! -w /var/lib/sky/leases ] || dir=/var/lib/sky/leases
  fi
  mkdir -p "$dir" "$base" 2>/dev/null
  [ -d "$dir" ] && [ -w "$dir" ] && [ -d "$base" ] && [ -w "$base" ]
}

make_common() { ( umask 022; mkdir -p /var/lib/sky && mkdir -m 1777 /var/lib/sky/leases ) 2>/dev/null; }

# read_lease <file>: nonce and content; nonce is empty where the file is no lease.
read_lease() {
  nonce= content=
  { read -r nonce && read -r content; } <"$1" 2>/dev/null
  case $nonce$content in *[!A-Za-z0-9+/=]*) nonce= ;; esac
}

# find_lease <nonce>: file = the lease of that nonce.
find_lease() {
  for place in $places; do
    for file in "$place"/[0-9]*; do
      case ${file##*/} in *[!0-9]*) continue ;; esac
      [ -f "$file" ] || continue
      read_lease "$file"
      [ "$nonce" != "$1" ] || return 0
    done
  done
  return 1
}

work_of() { work=$base/work/$1; }
mark_of() { mark=$1.$2.cleaning; }

boot_now() { read -r boot <"${SKY_BOOT_ID_FILE:-/proc/sys/kernel/random/boot_id}"; }

# keys_without <nonce>: the login user's keys, without those of the lease; every key of ours names its lease at the end of its line.
keys_file() { keys=$(readlink -f "$HOME/.ssh/authorized_keys" 2>/dev/null) && [ -n "$keys" ] || keys=$HOME/.ssh/authorized_keys; }
keys_without() {
  [ -e "$keys" ] || return 0
  grep -v " sky-lease-$1\$" "$keys"
  [ $? -le 1 ]
}

# under_lock <command...>: one change of the login user's files at a time.
under_lock() { ( flock -w 10 9 || exit 1; "$@" ) 9>>"$base/lock"; }
