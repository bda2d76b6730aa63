#!/bin/sh
# First process of a simulated machine, alone in its own pid, mount, uts, ipc and network namespaces: when it dies, the kernel
# kills all the others. Says "ready" when its network namespace exists, goes on when eth0 has been put into it, and says "up"
# when its address is there.
# usage: netns-init.sh FOLDER HOSTNAME ADDRESS GATEWAY SSHD
set -eu
folder=$1 hostname=$2 address=$3 gateway=$4 sshd=$5

mount --make-rprivate /
mount -t proc proc /proc
mount --bind "$folder/boot_id" /proc/sys/kernel/random/boot_id
for file in passwd group shadow; do mount --bind "$folder/etc/$file" "/etc/$file"; done
mount --bind "$folder/home" /home
mount --bind "$folder/var-lib" /var/lib
mount --bind "$folder/run" /run
mount --bind "$folder/tmp" /tmp # last: it hides the folder itself
hostname "$hostname"

echo ready
read -r _
ip link set lo up
ip addr add "$address/24" dev eth0
ip link set eth0 up
ip route add default via "$gateway"
echo up
cd /
[ ! -s /run/sky/runcmd.sh ] ||
  setpriv --reuid sky --regid sky --clear-groups env HOME=/home/sky /bin/sh /run/sky/runcmd.sh >/dev/null 2>&1 </dev/null &
[ -n "$sshd" ] || exec sleep infinity
exec "$sshd" -D -e -f /run/sky/sshd_config </dev/null >/dev/null
