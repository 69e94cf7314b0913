# Alpine's apk.
# apk writes down what it is told to install, versions too, as what the administrators
# want (world). What they wanted before is put back after a step.
world=/etc/apk/world

# pm_version NAME: its version, "-" for none, and ok, held, or broken
pm_version() {
  state_of=ok
  ! grep -qs "^$1[<=>~]" $world || state_of=held
  awk -v name="$1" -v status=$state_of '
    BEGIN { version = "-" }
    /^P:/ { here = substr($0, 3) == name }
    here && /^V:/ { version = substr($0, 3) }
    here && /^f:.*[fs]/ { status = "broken" }
    END { printf "version\t%s\t%s\t%s\n", name, version, status }' /lib/apk/db/installed
}
# pm_known NAME VERSION succeeds where a repository has just that version.
pm_known() { apk search -a -e "$1" 2>/dev/null | grep -qxF -- "$1-$2"; }
# pm_pending: a kernel that was replaced took the modules of the one that runs along
pm_pending() { [ -n "$(ls /lib/modules 2>/dev/null)" ] && [ ! -d "/lib/modules/$(uname -r)" ]; }
pm_busy() { ! flock -n /lib/apk/db/lock true 2>/dev/null; }
pm_repair() { # JOB
  [ ! -s "$state/$1/world" ] || cp "$state/$1/world" $world
  apk fix
}

# pm_keep JOB NAME VERSION fetches a package as it is now; what no repository has
# any more may still lie in the cache.
pm_keep() {
  mkdir -p "$state/$1/former"
  apk fetch -o "$state/$1/former" "$2=$3" || cp /etc/apk/cache/"$2-$3".*apk "$state/$1/former/$2-$3.apk" 2>/dev/null
}
# pm_kept JOB NAME VERSION prints the file that was fetched.
pm_kept() { [ -n "$1" ] && [ -s "$state/$1/former/$2-$3.apk" ] && echo "$state/$1/former/$2-$3.apk"; }
# pm_target JOB NAME VERSION is how apk is told of a package. What came along goes by itself.
pm_target() { [ "$3" = - ] || pm_kept "$1" "$2" "$3" || echo "$2=$3"; }

# pm_install JOB moves a job's packages to where it wants them.
pm_install() {
  from=$(one "$1" undoes)
  targets=$({ lines "$1" move; [ "$(one "$1" op)" = apply ] || lines "$1" with; } | while read -r name _ to; do pm_target "$from" "$name" "$to"; done)
  put "$state/$1/world" <$world
  apk add --wait 60 $targets
  rc=$?
  cp "$state/$1/world" $world
  return $rc
}
# pm_after JOB: a new configuration file that apk laid beside an edited one takes its
# place where that is wanted.
pm_after() {
  [ "$(one "$1" conffiles)" != new ] || find /etc -name '*.apk-new' -newer "$state/$1/request" | while read -r file; do mv "$file" "${file%.apk-new}"; done
}

# pm_check OP UNDOES NAME FROM TO...: facts of check.sh
pm_check() {
  op=$1 undoes=$2; shift 2
  awk '/^P:/ { name = substr($0, 3) } /^f:.*[fs]/ { print "broken\t" name "\t" substr($0, 3) }' /lib/apk/db/installed
  room /lib/apk/db /var/cache/apk
  versions "$@"
  unlocked 5 || { say locked "another process holds the lock of apk's database"; return; }
  refused=$(apk update 2>&1) || say failed "$(printf '%s' "$refused" | tail -n 3 | plain)"
  targets=''
  while [ $# -ge 3 ]; do
    { [ "$op" = rollback ] && pm_kept "$undoes" "$1" "$3" >/dev/null || pm_known "$1" "$3"; } && say known "$1" "$3"
    word=$(pm_target "$undoes" "$1" "$3")
    say target "$word"
    targets="$targets $word"
    shift 3
  done
  trial "$op" "$undoes" $targets
}
versions() { while [ $# -ge 3 ]; do pm_version "$1"; shift 3; done; }
# pm_dry OP TARGET...: what apk would do
pm_dry() {
  op=$1; shift
  said=$(apk add -s "$@" 2>&1) || say failed "$(printf '%s' "$said" | grep -v '^(' | tail -n 4 | plain)"
  printf '%s\n' "$said" | awk '
    { gsub(/[()]/, "", $0) }
    $2 == "Installing" { print "inst\t" $3 "\t-\t" $4 }
    $2 == "Upgrading" || $2 == "Downgrading" { print "inst\t" $3 "\t" $4 "\t" $6 }
    $2 == "Purging" { print "remv\t" $3 }'
  [ "$op" != apply ] || needs "$@"
}
# needs NAME=VERSION...: what packages depend on, and what that depends on, by the repositories' lists
needs() {
  {
    for target; do echo "start ${target%%=*}"; done
    for index in /var/cache/apk/APKINDEX.*.tar.gz /etc/apk/cache/APKINDEX.*.tar.gz; do
      tar -xzOf "$index" APKINDEX 2>/dev/null
    done
  } | awk '
    /^start / { print }
    /^P:/ { name = substr($0, 3); print "gives", name, name }
    /^[Dp]:/ { n = split(substr($0, 3), word, " "); for (i = 1; i <= n; i++) { sub(/[<=>~].*/, "", word[i]); print (/^D/ ? "asks" : "gives"), name, word[i] } }' | closure
}
