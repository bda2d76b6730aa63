#!/bin/sh
# probe.sh <nonce> <root>: what the machine is worth now.
printf '%s\n' "$1"
echo "time $(date +%s)"
df -Pk "$2" | tail -n 1 | { read -r _ _ _ free _ && echo "disk $free"; }
if command -v nvidia-smi >/dev/null 2>&1; then
  echo "accelerators $(nvidia-smi -L 2>/dev/null | grep -c '^GPU ')"
elif command -v rocm-smi >/dev/null 2>&1; then
  echo "accelerators $(rocm-smi --showid 2>/dev/null | grep -c 'GUID\|Device ID')"
fi
