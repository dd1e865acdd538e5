#!/usr/bin/env bash
# A real Oracle MySQL server (9.x) from Debian's unstable archive, run from an unpacked folder with that archive's own
# dynamic loader. Nothing is installed on the host, and its apt sources are left alone. amd64 only.
#   mysql9.sh fetch    download and unpack (once), then print the folder; the testbed does the rest by itself
#   mysql9.sh start    also make a data folder and start a server to play with: port MYSQL9_PORT, root without a password
#   mysql9.sh stop     shut that server down            mysql9.sh wipe   ... and remove its data
#   mysql9.sh run bin/mysqlbinlog ARGS   run one of the unpacked programs
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/debian-fetch.sh
. "$HERE/scripts/debian-fetch.sh"
BASE=${MYSQL9_BASE:-$HERE/.testbed/mysql9}; PORT=${MYSQL9_PORT:-33308}; SUITE=${MYSQL9_SUITE:-sid}
PKGS=${MYSQL9_PKGS:-mysql-server-core}      # add mysql-client-core for mysql/mysqldump
ROOT=$BASE/root; DATA=$BASE/data; SOCK=$BASE/mysql.sock; PIDF=$BASE/mysqld.pid
L=$ROOT/usr/lib/x86_64-linux-gnu
run() { local b=$1; shift; "$L/ld-linux-x86-64.so.2" --library-path "$L" --argv0 "$ROOT/usr/sbin/${b##*/}" "$ROOT/usr/$b" "$@"; }
alive() { [ -s "$PIDF" ] && grep -qaF "$ROOT/usr/sbin/mysqld" "/proc/$(cat "$PIDF")/cmdline" 2>/dev/null; }

debian_wanted() {                           # without perl, which only helper scripts use
  grep -vE '^(perl|libperl|libgdbm|libdb5|gcc-[0-9]+-base|libc-gconv|openssl-provider)'
}
debian_finish() {
  ( cd "$1/usr/bin" && rm -f myisam* ibd2sdi innochecksum perror mysql_migrate_keyring mysql_secure_installation my_print_defaults )
}
fetch() { debian_fetch "$BASE" "${DEBIAN_MIRROR:-}" "$SUITE" "$PKGS"; }

opts=(--no-defaults --user="$(id -un)" --basedir="$ROOT/usr" --datadir="$DATA"
  --secure-file-priv= --innodb-redo-log-capacity=16M --lc-messages-dir="$ROOT/usr/share/mysql"
  --character-sets-dir="$ROOT/usr/share/mysql/charsets" --plugin-dir="$ROOT/usr/lib/mysql/plugin"
  --log-error="$BASE/error.log" --mysqlx=OFF)

start() {
  fetch
  alive && { echo "already running, pid $(cat "$PIDF"), port $PORT"; return 0; }
  if [ ! -e "$DATA/.ready" ]; then
    rm -rf "$DATA"; : > "$BASE/error.log"
    run sbin/mysqld "${opts[@]}" --initialize-insecure || { tail "$BASE/error.log"; exit 1; }
    touch "$DATA/.ready"                     # root@localhost, empty password
  fi
  ( cd "$BASE"; exec "$L/ld-linux-x86-64.so.2" --library-path "$L" --argv0 "$ROOT/usr/sbin/mysqld" "$ROOT/usr/sbin/mysqld" \
    "${opts[@]}" --bind-address=127.0.0.1 --port="$PORT" --socket="$SOCK" --pid-file="$PIDF" \
    --server-id=1 --log-bin="$DATA/binlog" --binlog-format=ROW --binlog-row-image=FULL \
    --binlog-row-metadata=FULL --gtid-mode=ON --enforce-gtid-consistency=ON </dev/null >>"$BASE/error.log" 2>&1 ) &
  local p=$!
  for _ in $(seq 300); do
    kill -0 $p 2>/dev/null || { tail "$BASE/error.log"; exit 1; }
    [ -s "$PIDF" ] && (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null && { echo "up: pid $(cat "$PIDF") 127.0.0.1:$PORT user root, no password"; return 0; }
    sleep 0.1
  done
  echo "not up after 30 s" >&2; tail "$BASE/error.log"; exit 1
}

stop() {
  alive || { echo "not running"; return 0; }
  local p; p=$(cat "$PIDF"); kill -TERM "$p"   # SIGTERM is a clean shutdown
  for _ in $(seq 600); do kill -0 "$p" 2>/dev/null || { echo "stopped $p"; return 0; }; sleep 0.1; done
  echo "pid $p still there" >&2; return 1
}
case ${1:-start} in start) start;; fetch) fetch; echo "$ROOT";; stop) stop;; wipe) stop; rm -rf "$DATA" "$BASE/error.log";; run) shift; run "$@";; *) sed -n 2,8p "$0"; exit 2;; esac
