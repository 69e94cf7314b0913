# Debian's and Ubuntu's apt and dpkg.
export DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none

apt() { apt-get -q -o DPkg::Lock::Timeout=60 -o APT::Get::Show-User-Simulation-Note=false "$@"; }

# pm_version NAME: its version, "-" for none, and ok, held (by a person), unreadable, or dpkg's word for what it is
pm_version() {
  entry=$(dpkg-query -W -f='${db:Status-Abbrev}\t${Version}\n' "$1" 2>/dev/null) || [ $? = 1 ] || { say version "$1" - unreadable; return; }
  printf '%s\n' "$entry" | awk -F'\t' -v name="$1" -v ours="$(! ours "$1" || echo ours)" '
    BEGIN { version = "-"; status = "ok" }
    substr($1, 2, 1) ~ /[nc]/ || !$0 { next }
    { version = $2; status = substr($1, 2) == "i " ? (substr($1, 1, 1) == "h" && !ours ? "held" : "ok") : $1 }
    END { sub(/ +$/, "", status); printf "version\t%s\t%s\t%s\n", name, version, status }'
}
# pm_known NAME VERSION succeeds where a repository has just that version.
pm_known() { apt-cache madison "$1" 2>/dev/null | awk -F' *[|] *' -v v="$2" '$2 == v { found = 1 } END { exit !found }'; }
pm_pending() { [ -e /run/reboot-required ] || [ -e /var/run/reboot-required ]; }
pm_busy() { apt -o DPkg::Lock::Timeout=0 check 2>&1 | grep -qF 'Could not get lock'; }
pm_repair() { dpkg --configure -a --force-confdef --force-confold; }

# pm_holds prints the names of packages that are held, by whomever; pm_hold NAME... holds those that are
# installed, and pm_unhold NAME... lets go.
pm_holds() { apt-mark showhold; }
pm_unhold() { apt-mark unhold "$@" >/dev/null; }
pm_hold() {
  for name; do
    case $(dpkg-query -W -f='${db:Status-Abbrev}' "$name" 2>/dev/null) in i[!nc]*) ;; *) continue ;; esac
    tries=0 # dpkg does not wait for its lock
    until apt-mark hold "$name" >/dev/null 2>&1; do
      tries=$((tries + 1))
      [ $tries -lt 30 ] || return
      sleep 1
    done
  done
}

pm_mark() { apt-mark auto "$@" >/dev/null; } # NAME...: they are dependencies, and nobody asked for them
# pm_keep JOB NAME VERSION fetches a package as it is now; what no repository has
# any more may still lie in the cache.
pm_keep() {
  mkdir -p "$state/$1/former" && cd "$state/$1/former" || return
  apt -o APT::Sandbox::User=root download "$2=$3" ||
    cp /var/cache/apt/archives/"$2"_"$(printf '%s' "$3" | sed 's/:/%3a/')"_*.deb . 2>/dev/null
  cd /
}
# pm_kept JOB NAME VERSION prints the file that was fetched.
pm_kept() {
  for file in "$state/$1/former/$2"_*.deb; do
    [ -e "$file" ] && [ "$(dpkg-deb -f "$file" Version)" = "$3" ] && { echo "$file"; return; }
  done
  return 1
}
# pm_target JOB NAME VERSION is how apt is told of a package.
pm_target() {
  case $3 in
    -) echo "$2-" ;;
    *) pm_kept "$1" "$2" "$3" || echo "$2=$3" ;;
  esac
}
# pm_install JOB moves a job's packages to where it wants them. Those that only
# came along are named where they go back, and else left to apt, which then finds
# what was found before it began. Who was installed by hand stays so.
pm_install() {
  keep=confold; [ "$(one "$1" conffiles)" != new ] || keep=confnew
  list=$(lines "$1" move) from=$(one "$1" undoes) options=--no-remove
  if [ "$(one "$1" op)" = rollback ]; then
    list="$list
$(lines "$1" with)"
    options=--allow-downgrades
  fi
  targets=$(printf '%s\n' "$list" | while read -r name _ to; do [ -z "$name" ] || pm_target "$from" "$name" "$to"; done)
  names=$({ lines "$1" move; lines "$1" with; } | cut -f1)
  automatic=$(apt-mark showauto $names)
  apt -y --no-install-recommends $options -o Dpkg::Options::=--force-confdef -o "Dpkg::Options::=--force-$keep" install $targets
  rc=$?
  [ -z "$automatic" ] || pm_mark $automatic
  return $rc
}

# pm_after JOB does what is left once packages were moved, and prints what is wrong
# although the package manager was content.
pm_after() { :; }

# pm_check OP UNDOES NAME FROM TO...: facts of check.sh
pm_check() {
  op=$1 undoes=$2; shift 2
  dpkg-query -W -f='${db:Status-Abbrev}\t${Package}\n' | awk -F'\t' 'substr($1, 2) !~ /^[inc] / && substr($1, 2, 1) != "W" { print "broken\t" $2 "\t" $1 }'
  room /var/lib/dpkg /var/cache/apt/archives
  targets='' fetched=''
  while [ $# -ge 3 ]; do
    pm_version "$1"
    if [ "$op" = rollback ] && pm_kept "$undoes" "$1" "$3" >/dev/null; then
      say known "$1" "$3"
    else
      pm_known "$1" "$3" || fetch
      ! pm_known "$1" "$3" || say known "$1" "$3"
    fi
    target=$(pm_target "$undoes" "$1" "$3")
    say target "$target"
    targets="$targets $target"
    apt-mark showauto "$1" | while read -r name; do say automatic "$name"; done
    shift 3
  done
  locked=$(apt -o DPkg::Lock::Timeout=5 check 2>&1 | grep -F 'Could not get lock') && say locked "$(printf '%s' "$locked" | tail -n 1 | plain)"
  trial "$op" "$undoes" $targets
}
# fetch reads the repositories' lists anew, once.
fetch() {
  [ -z "$fetched" ] || return
  fetched=$(apt update 2>&1) || say failed "$(printf '%s' "$fetched" | tail -n 3 | plain)"
  fetched=done
}
# pm_dry OP TARGET...: what apt would do, were nothing held
pm_dry() {
  op=$1; shift
  if [ "$op" = apply ]; then needs "$@"; else set -- --allow-downgrades "$@"; fi
  said=$(apt -s --ignore-hold --no-install-recommends install "$@" 2>&1) || say failed "$(printf '%s' "$said" | grep '^E:\|^ ' | tail -n 4 | plain)"
  printf '%s\n' "$said" | awk '
    $1 == "Remv" { print "remv\t" $2 }
    $1 == "Inst" { old = "-"; new = $3
      if (new ~ /^\[/) { old = substr(new, 2, length(new) - 2); new = $4 }
      sub(/^\(/, "", new); print "inst\t" $2 "\t" old "\t" new }'
  printf '%s\n' "$said" | sed -n 's/^Inst \([^ ]*\) \(\[[^ ]*\] \)\{0,1\}(\([^ ]*\) .*/\1=\3/p' | while read -r package; do
    apt-cache show "$package" 2>/dev/null | awk '/^Size:/ { kb += $2 / 1024 } /^Installed-Size:/ { kb += $2 } /^$/ { exit } END { print "size\t" int(kb) + 1 }'
  done
}
# needs TARGET...: what packages depend on, and what that depends on
needs() {
  apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances "$@" 2>/dev/null |
    awk '/^[^ ]/ && $1 !~ /^</ { print "need\t" $1 }' | sort -u
}
