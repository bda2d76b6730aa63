# Takes block $block for the lease $lease_id and lets its keys in. Answers `taken`, `held`, `cleaning` or `failed <why>`. May be
# repeated: the same lease is taken once.
failed() { echo "failed $1"; exit 0; }

holder() { read_lease "$1"; [ "$nonce" = "$lease_id" ]; }

acquire() {
  for place in $places; do
    [ "$place" = "$dir" ] || [ ! -e "$place/$block" ] || { file=$place/$block; holder "$file"; return; }
  done
  file=$dir/$block
  # Of scripts that were cut off: a lease's id and a process.
  hex=[0-9a-f][0-9a-f][0-9a-f][0-9a-f]
  find "$dir"/.$hex$hex$hex$hex$hex$hex.[0-9]* -type f -mmin +60 -exec rm -f {} + 2>/dev/null
  draft=$dir/.$lease_id.$$
  printf '%s\n%s\n' "$lease_id" "$lease_content" >"$draft" && sync "$draft" && chmod 644 "$draft" || {
    rm -f "$draft"
    failed "cannot write in $dir"
  }
  # link(2) fails where a lease exists: whoever links first has the block.
  ln "$draft" "$file" 2>/dev/null
  rm -f "$draft"
  # Asked of the file and not of ln: a file system of the network may lose the answer to a link that was made.
  holder "$file"
}

enter_script() {
  cat <<END
export SKY_LEASE=$lease_id SKY_ROOT=$work/root SKY_LOGIN_HOME=$HOME HOME=$work/home
cd "\$HOME" || exit 126
[ -n "\$SSH_ORIGINAL_COMMAND" ] || exec "\${SHELL:-/bin/sh}" -l
exec "\${SHELL:-/bin/sh}" -c "\$SSH_ORIGINAL_COMMAND"
END
}

# set_up: under the lock, so that a script which comes late does not furnish a lease that was given back meanwhile.
set_up() {
  holder "$file" && [ ! -e "$mark" ] || return 3
  # Once only: people may have changed their files since, and a restart of the host must stay visible.
  [ ! -s "$work/ready" ] || return 0
  mkdir -p "$work/home" "$work/root" || return 1
  for name in .profile .bashrc; do
    printf '[ ! -r "$SKY_LOGIN_HOME/%s" ] || . "$SKY_LOGIN_HOME/%s"\n' "$name" "$name" >"$work/home/$name" || return 1
  done
  enter_script >"$work/enter" || return 1
  add_keys || return 1
  boot_now && printf '%s\n' "$boot" >"$work/ready.new" && mv "$work/ready.new" "$work/ready"
}

add_keys() {
  mkdir -p "$HOME/.ssh" && keys_file || return 1
  {
    keys_without "$lease_id" || return 1
    decoded "$lease_keys" | while read -r key; do
      printf 'command="exec sh %s/enter",no-agent-forwarding,no-X11-forwarding %s sky-lease-%s\n' "$work" "$key" "$lease_id"
    done
  } >"$keys.sky-$$" && mv "$keys.sky-$$" "$keys" && return
  rm -f "$keys.sky-$$"
  return 1
}

main() {
  places && make_place || failed "cannot write in $dir or $base"
  work_of "$lease_id"
  acquire || { echo held; return; }
  mark_of "$file" "$lease_id"
  under_lock set_up
  case $? in
    0) echo taken ;;
    3) echo cleaning ;;
    *) failed "cannot write in $work or $HOME/.ssh/authorized_keys" ;;
  esac
}
