#!/usr/bin/env bash
# A newer PostgreSQL than the host's, from another Debian suite, run from an unpacked folder.
#   pg18.sh start|fetch|stop     PGV=18 SUITE=sid (default) | PGV=17 SUITE=trixie | PGV=19 SUITE=experimental
# `fetch` prints the folder with the programs: give it to the testbed as ServerOptions::programs.
# Not below the clone, since PostgreSQL's own user has to get at it.
set -euo pipefail
# shellcheck source=scripts/debian-fetch.sh
. "$(dirname "${BASH_SOURCE[0]}")/debian-fetch.sh"
PGV=${PGV:-18}; SUITE=${SUITE:-sid}; PORT=${PGSID_PORT:-354${PGV}}; BASE=${PGSID_BASE:-${TMPDIR:-/tmp}/handoff-pg$PGV}
ROOT=$BASE/root; DATA=$BASE/data; L=$ROOT/usr/lib/x86_64-linux-gnu; B=$ROOT/usr/lib/postgresql/$PGV/bin
U=${PGSID_USER:-$([ "$(id -u)" = 0 ] && { id -un postgres 2>/dev/null || echo nobody; } || id -un)}   # postgres refuses root
as() { if [ "$(id -un)" = "$U" ]; then "$@"; else setpriv --reuid="$U" --regid="$(id -g "$U")" --clear-groups env HOME="$BASE" "$@"; fi; }
debian_wanted() {
  grep -E "^(lib|zlib1g|postgresql(-client)?-$PGV=)" \
    | grep -vE '^(libperl|libllvm|libz3|libedit|libbsd|libmd0|libgdbm|libdb5|libc-gconv|libc-l10n|libpam-modules|libsystemd-shared|libsemanage|libsepol|libproc|lib[a-z0-9]*-.*perl=|libjson-perl)'
}
debian_finish() {
  rm -rf "$1/usr/lib/postgresql/$PGV/lib/"{bitcode,llvmjit.so,llvmjit_types.bc}
  # programs start each other by path: put a wrapper that calls the suite's loader in front of each
  local b bin=$1/usr/lib/postgresql/$PGV/bin; mkdir "$bin/real"
  for b in "$bin"/*; do [ -f "$b" ] || continue; mv "$b" "$bin/real/"; b=${b##*/}
    printf '#!/bin/sh\nexec %s/ld-linux-x86-64.so.2 --library-path %s:%s --argv0 "$0" %s/real/%s "$@"\n' "$L" "$L" "$ROOT/usr/lib/postgresql/$PGV/lib" "$B" "$b" > "$bin/$b"; chmod 755 "$bin/$b"; done
}
fetch() {
  mkdir -p "$BASE"
  [ -O "$BASE" ] || { echo "$BASE belongs to somebody else: set PGSID_BASE" >&2; exit 1; }
  local suites=$SUITE; [ "$SUITE" != experimental ] || suites="experimental sid"
  debian_fetch "$BASE" "${DEBIAN_MIRROR:-}" "$suites" "postgresql-$PGV"
}
start() {
  fetch; chmod 755 "$BASE"
  if [ ! -e "$DATA/.ready" ]; then
    rm -rf "$DATA"; mkdir -p "$DATA"; [ "$(id -u)" = 0 ] && chown "$U" "$DATA"
    (cd /; as "$B/initdb" -D "$DATA" -U postgres -A trust -E UTF8 --locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C.UTF-8 --no-sync) > "$BASE/initdb.log" 2>&1 || { tail "$BASE/initdb.log"; exit 1; }
    as touch "$DATA/.ready"
  fi
  (cd /; as "$B/pg_ctl" -D "$DATA" status >/dev/null 2>&1) && { echo "already running, port $PORT"; return 0; }
  (cd /; as "$B/pg_ctl" -D "$DATA" -l "$DATA/server.log" -w -t 30 -s start -o "-p $PORT -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c wal_level=logical -c max_wal_senders=10 -c max_replication_slots=10") || { tail "$DATA/server.log"; exit 1; }
  echo "up: pid $(head -1 "$DATA/postmaster.pid") 127.0.0.1:$PORT user postgres, trust"
}
case ${1:-start} in fetch) fetch; chmod 755 "$BASE"; echo "$B";; start) start;; stop) cd /; as "$B/pg_ctl" -D "$DATA" -m fast -w stop;; *) sed -n 2,5p "$0"; exit 2;; esac
