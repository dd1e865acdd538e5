#!/usr/bin/env bash
# A newer PostgreSQL than the host's, from another Debian suite, run from an unpacked folder.
#   pg18.sh start|fetch|stop     PGV=18 SUITE=sid (default) | PGV=17 SUITE=trixie | PGV=19 SUITE=experimental
# `fetch` prints the folder with the programs: give it to the testbed as ServerOptions::programs.
# Not below the clone, since PostgreSQL's own user has to get at it.
set -euo pipefail
PGV=${PGV:-18}; SUITE=${SUITE:-sid}; PORT=${PGSID_PORT:-354${PGV}}; BASE=${PGSID_BASE:-${TMPDIR:-/tmp}/handoff-pg$PGV}
APTD=$BASE/apt; ROOT=$BASE/root; DATA=$BASE/data; L=$ROOT/usr/lib/x86_64-linux-gnu; B=$ROOT/usr/lib/postgresql/$PGV/bin
U=${PGSID_USER:-$([ "$(id -u)" = 0 ] && { id -un postgres 2>/dev/null || echo nobody; } || id -un)}   # postgres refuses root
as() { if [ "$(id -un)" = "$U" ]; then "$@"; else setpriv --reuid="$U" --regid="$(id -g "$U")" --clear-groups env HOME="$BASE" "$@"; fi; }
fetch() {
  [ -O "$BASE" ] && [ -e "$ROOT/.done" ] && return 0
  mkdir -p "$BASE"
  [ -O "$BASE" ] || { echo "$BASE belongs to somebody else: set PGSID_BASE" >&2; exit 1; }
  exec 9>"$BASE/fetch.lock"; flock 9        # two test runs may ask at once
  [ -e "$ROOT/.done" ] && { exec 9>&-; return 0; }
  local mirror; mirror=${PGSID_MIRROR:-$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources} 2>/dev/null \
    | grep -v '^#' | grep -oE 'https?://[^ ]*/debian/?( |$)' | head -1 | tr -d ' ' || true)}
  [ -n "$mirror" ] || { echo "no Debian mirror in apt's sources: set PGSID_MIRROR" >&2; exit 1; }
  rm -rf "$APTD" "$ROOT.new"; mkdir -p "$APTD"/{lists/partial,cache/archives/partial,state,deb,parts} "$ROOT.new"; : > "$APTD/state/status"
  local s; for s in $SUITE $([ "$SUITE" = experimental ] && echo sid); do
    echo "deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $s main"; done > "$APTD/sources.list"
  # keep the host's apt settings (proxy and such), not its hooks
  local f; for f in /etc/apt/apt.conf.d/*; do grep -qi invoke "$f" || cp "$f" "$APTD/parts/"; done
  cat > "$APTD/apt.conf" <<C
Dir::Etc::parts "$APTD/parts";
Dir::Etc::sourcelist "$APTD/sources.list"; Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null"; Dir::Etc::preferencesparts "/dev/null";
Dir::State "$APTD/state"; Dir::State::status "$APTD/state/status"; Dir::State::lists "$APTD/lists";
Dir::Cache "$APTD/cache"; Dir::Log "$APTD"; APT::Architecture "amd64"; APT::Install-Recommends "0";
APT::Sandbox::User "root"; Acquire::Languages "none"; Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::Retries "3";
C
  export APT_CONFIG=$APTD/apt.conf
  apt-get -qq update
  apt-get -s -qq -t "$SUITE" install "postgresql-$PGV" | awk '$1=="Inst"{v=$3; sub(/^\(/,"",v); print $2"="v}' \
    | grep -E "^(lib|zlib1g|postgresql(-client)?-$PGV=)" \
    | grep -vE '^(libperl|libllvm|libz3|libedit|libbsd|libmd0|libgdbm|libdb5|libc-gconv|libc-l10n|libpam-modules|libsystemd-shared|libsemanage|libsepol|libproc|lib[a-z0-9]*-.*perl=|libjson-perl)' > "$APTD/pkgs" || true
  [ -s "$APTD/pkgs" ] || { echo "postgresql-$PGV cannot be had from $SUITE today" >&2; exit 1; }
  ( cd "$APTD/deb" && xargs apt-get -qq download < "$APTD/pkgs" )
  unset APT_CONFIG
  printf '%s\0' "$APTD"/deb/*.deb | xargs -0 -P"$(nproc)" -I{} dpkg-deb -x {} "$ROOT.new"
  rm -rf "$ROOT.new"/usr/share/{doc,man,locale,lintian,bug} "$ROOT.new/usr/lib/postgresql/$PGV/lib/"{bitcode,llvmjit.so,llvmjit_types.bc}
  # programs start each other by path: put a wrapper that calls sid's loader in front of each
  local b bin=$ROOT.new/usr/lib/postgresql/$PGV/bin; mkdir "$bin/real"
  for b in "$bin"/*; do [ -f "$b" ] || continue; mv "$b" "$bin/real/"; b=${b##*/}
    printf '#!/bin/sh\nexec %s/ld-linux-x86-64.so.2 --library-path %s:%s --argv0 "$0" %s/real/%s "$@"\n' "$L" "$L" "$ROOT/usr/lib/postgresql/$PGV/lib" "$B" "$b" > "$bin/$b"; chmod 755 "$bin/$b"; done
  echo "downloaded $(du -cm "$APTD"/deb/*.deb "$APTD"/lists/* | tail -1 | cut -f1) MB" >&2
  cp "$APTD/pkgs" "$ROOT.new/.pkgs"; touch "$ROOT.new/.done"; rm -rf "$ROOT"; mv "$ROOT.new" "$ROOT"; rm -rf "$APTD"; exec 9>&-
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
