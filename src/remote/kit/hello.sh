# hello <nonce> <installation> <cluster uid> <slot> <instance id> <epoch> <kit hash>
# First words of a connection, sent as the argument of `sh -c`, so without single quotes. Checks tools, finds the root, compares
# identity and epoch, and says what the machine has. The first line repeats the nonce: what start-up files print comes before it.
umask 077
printf "%s\n" "$1"
missing=
for tool in mkdir mv ln cat kill sleep tail head wc tar sha256sum base64 setsid stat flock grep tr date dd rm sync mkfifo df env; do
  command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
[ -r /proc/self/stat ] || missing="$missing /proc"
[ -z "$missing" ] || { echo "missing$missing"; exit 74; }

# A root once used is used for ever: journals in two places would let a run start twice.
root=/var/lib/sky
mine=$HOME/.sky-operator/$5
if [ -n "$SKY_ROOT" ]; then
  root=$SKY_ROOT
elif [ -e "$mine/node/id" ]; then
  root=$mine
elif ! { mkdir "$root" 2>/dev/null || [ -w "$root" ]; }; then
  if ! [ -e "$root" ] && sudo -n mkdir -m 700 "$root" 2>/dev/null && sudo -n chown "$(id -u)" "$root"; then :
  else root=$mine
  fi
fi
mkdir -p "$root/node" "$root/kit" "$root/jobs" || exit 73

exec 9>>"$root/node/lock" && flock 9 || exit 73
identity="$2 $3 $4 $5"
write() { echo "$2" >"$root/node/$1.tmp" && sync "$root/node/$1.tmp" && mv "$root/node/$1.tmp" "$root/node/$1" || exit 73; }
[ -s "$root/node/id" ] || write id "$identity"
read -r found <"$root/node/id"
[ "$found" = "$identity" ] || { echo "identity $found"; exit 76; }
seen=0
[ ! -s "$root/node/epoch" ] || read -r seen <"$root/node/epoch"
[ "$6" -ge "$seen" ] || { echo "epoch $seen"; exit 75; }
[ "$6" -eq "$seen" ] || write epoch "$6"
: >"$root/node/contact"

read -r boot <"${SKY_BOOT_ID_FILE:-/proc/sys/kernel/random/boot_id}"
echo "root $root"
echo "boot $boot"
[ ! -f "$root/kit/$7/node.sh" ] || echo "kit"
