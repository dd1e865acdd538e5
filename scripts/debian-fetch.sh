# Downloads packages of another Debian suite and unpacks them into a folder, for mysql9.sh and pg18.sh, which source
# this file. Nothing is installed on the host, and its apt sources are left alone. amd64 only.

# debian_is_fetched BASE: true once BASE/root holds everything.
debian_is_fetched() { [ -e "$1/root/.done" ]; }

# debian_fetch BASE MIRROR SUITES PACKAGES: fills BASE/root once. MIRROR may be empty: then it is the one that this
# machine's apt uses for Debian. SUITES are separated by blanks, the first is preferred. The caller gives two functions:
#   debian_wanted            of the lines NAME=VERSION on its input, those to download
#   debian_finish FOLDER     what is left to do in the unpacked folder before it becomes BASE/root
debian_fetch() {
  local base=$1 mirror=$2 suites=$3 packages=$4
  debian_is_fetched "$base" && return 0
  local apt=$base/apt new=$base/root.new lock
  mkdir -p "$base"
  exec {lock}>"$base/fetch.lock"; flock "$lock"        # two test runs may ask at once
  debian_is_fetched "$base" && { exec {lock}>&-; return 0; }
  [ -n "$mirror" ] || mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources} 2>/dev/null \
    | grep -v '^#' | grep -oE 'https?://[^ ]*/debian/?( |$)' | head -1 | tr -d ' ' || true)
  [ -n "$mirror" ] || { echo "no Debian mirror in apt's sources: set DEBIAN_MIRROR" >&2; exit 1; }
  rm -rf "$apt" "$new"; mkdir -p "$apt"/{lists/partial,cache/archives/partial,state,deb,parts} "$new"
  : > "$apt/state/status"                  # empty: apt resolves the whole closure from the suite
  local suite; for suite in $suites; do
    echo "deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main"
  done > "$apt/sources.list"
  # keep the host's apt settings (proxy and such), not its hooks
  local f; for f in /etc/apt/apt.conf.d/*; do grep -qi invoke "$f" || cp "$f" "$apt/parts/"; done
  cat > "$apt/apt.conf" <<C
Dir::Etc::parts "$apt/parts";
Dir::Etc::sourcelist "$apt/sources.list"; Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null"; Dir::Etc::preferencesparts "/dev/null";
Dir::State "$apt/state"; Dir::State::status "$apt/state/status"; Dir::State::lists "$apt/lists";
Dir::Cache "$apt/cache"; Dir::Log "$apt"; APT::Architecture "amd64"; APT::Install-Recommends "0";
APT::Sandbox::User "root"; Acquire::Languages "none"; Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::Retries "3";
C
  export APT_CONFIG=$apt/apt.conf
  apt-get -qq update
  # shellcheck disable=SC2086  # several packages
  apt-get -s -qq -t "${suites%% *}" install $packages | awk '$1=="Inst"{v=$3; sub(/^\(/,"",v); print $2"="v}' \
    | debian_wanted > "$apt/pkgs" || true
  local first=${packages%% *}
  grep -q "^$first=" "$apt/pkgs" || { echo "$first cannot be had from ${suites%% *} today" >&2; exit 1; }
  ( cd "$apt/deb" && xargs apt-get -qq download < "$apt/pkgs" )
  unset APT_CONFIG
  printf '%s\0' "$apt"/deb/*.deb | xargs -0 -P"$(nproc)" -I{} dpkg-deb -x {} "$new"
  rm -rf "$new"/usr/share/{doc,man,locale,lintian,bug}
  debian_finish "$new"
  echo "downloaded $(du -cm "$apt"/deb/*.deb "$apt"/lists/* | tail -1 | cut -f1) MB" >&2
  cp "$apt/pkgs" "$new/.pkgs"; touch "$new/.done"; rm -rf "$base/root"; mv "$new" "$base/root"; rm -rf "$apt"; exec {lock}>&-
}
