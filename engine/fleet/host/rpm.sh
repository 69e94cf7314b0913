# Packages of the type rpm: what is the same whichever of dnf.sh and zypper.sh moves them.
# each NAME: what the database has of it, a line for each: when installed, architecture, version.
# A version says its epoch where there is one.
each() {
  rpm -q --qf '%{INSTALLTIME}\t%{ARCH}\t%|EPOCH?{%{EPOCH}}:{0}|:%{VERSION}-%{RELEASE}\t%{NAME}\n' "$1" 2>/dev/null |
    awk -F'\t' -v OFS='\t' -v name="$1" '$4 == name { sub(/^0:/, "", $3); print $1, $2, $3 }' | sort -n
}
# beside NAME succeeds for what is installed beside its former version, as kernels are.
beside() {
  case $1 in kernel | kernel-devel) return 0 ;; esac
  rpm -q --provides "$1" 2>/dev/null | grep -q '^installonlypkg(\|^multiversion('
}
# absent NAME succeeds where the database says that it is not installed. One that is broken,
# or that rpm has made anew, says nothing.
absent() {
  rpm -q "$1" 2>/dev/null | grep -q 'is not installed$' && [ -n "$(rpm -qa --qf x 2>/dev/null | head -c 1)" ]
}
# pm_version NAME: its version, "-" for none, and ok, held (by a person), unreadable, or "twice"
# where a transaction that was cut off left two of them. Of those that stand side by side
# it is the one that was installed last.
pm_version() {
  all=$(each "$1")
  newest=$(printf '%s\n' "$all" | tail -n 1 | cut -f3)
  status=ok
  if [ -z "$all" ]; then
    absent "$1" || status=unreadable
  elif [ "$(printf '%s\n' "$all" | cut -f3 | sort -u | wc -l)" -gt 1 ] && ! beside "$1"; then
    status=twice
  elif ! ours "$1" && pm_holds | grep -qxF -- "$1"; then
    status=held
  fi
  say version "$1" "${newest:--}" "$status"
}
# twice prints packages that are there in two versions, as NAME ARCH.
twice() {
  rpm -qa --qf '%{NAME} %{ARCH}\n' | sort | uniq -d | while read -r name arch; do
    [ "$name" = gpg-pubkey ] || beside "$name" || echo "$name $arch"
  done
}
# pm_repair JOB ends what a transaction that was cut off left: the older of two
# versions goes, and a package whose files are not its own is put there again from
# what was kept of it.
pm_repair() {
  twice | while read -r name arch; do
    each "$name" | awk -v arch="$arch" '$2 == arch { print $3 }' | sed '$d' | while read -r version; do
      rpm -e --nodeps "$name-${version#*:}.$arch"
    done
  done
  { lines "$1" move; lines "$1" with; } | while read -r name _; do
    version=$(each "$name" | tail -n 1 | cut -f3)
    if [ -n "$version" ] && rpm -V "$name" | grep -q '^..5.\{6\}  [^c] /\|^missing   [^c] /'; then
      files=$(pm_kept "$1" "$name" "$version") && rpm -U --oldpackage --replacepkgs $files
    fi
  done
}
# named reads names and patterns of them, and prints the names of what is installed.
named() {
  while read -r lock; do
    case $lock in
      *[*?[]*) rpm -qa --qf '%{NAME}\n' | while read -r name; do case $name in $lock) echo "$name" ;; esac; done ;;
      *) echo "$lock" ;;
    esac
  done | sort -u
}
# pm_known NAME VERSION succeeds where a repository has just that version.
pm_known() { available "$1" "$2" | grep -q "^known$tab"; }
pm_locked='another process holds the lock of the rpm database or of the package manager'
# at_work PIDFILE succeeds where the process that it names lives.
at_work() { read -r pid _ 2>/dev/null <"$1" && [ -e "/proc/$pid" ]; }
pm_busy() {
  for file in /var/lib/dnf/rpmdb_lock.pid /run/zypp.pid /run/yum.pid; do
    ! at_work "$file" || return 0
  done
  lock=$(stat -c %i "$(rpm --eval '%{_dbpath}')/.rpm.lock" 2>/dev/null) && grep -q ":$lock 0 EOF" /proc/locks
}

# pm_keep JOB NAME VERSION fetches a package as it is now; what no repository has
# any more may still lie in a cache.
pm_keep() {
  mkdir -p "$state/$1/former"
  pm_fetch "$state/$1/former" "$(spec "$2" "$3")"
  pm_kept "$1" "$2" "$3" >/dev/null ||
    find /var/cache/dnf /var/cache/yum /var/cache/zypp -name "$2-*.rpm" -exec cp {} "$state/$1/former" \; 2>/dev/null
}
# pm_kept JOB NAME VERSION prints the files that were fetched, one for each architecture.
pm_kept() {
  found=1
  for file in $(find "$state/$1/former" -name "$2-*.rpm" 2>/dev/null); do
    told=$(rpm -qp --nosignature --qf '%{NAME} %|EPOCH?{%{EPOCH}}:{0}|:%{VERSION}-%{RELEASE}' "$file" 2>/dev/null)
    case $told in "$2 $3" | "$2 0:$3") echo "$file"; found=0 ;; esac
  done
  return $found
}
# pm_target JOB NAME VERSION is how the package manager is told of a package, a word a line.
pm_target() {
  case $3 in
    -) gone "$2" ;;
    *) pm_kept "$1" "$2" "$3" || spec "$2" "$3" ;;
  esac
}
# targets JOB prints those of a job: what moves, and of a rollback what came along.
targets() {
  from=$(one "$1" undoes)
  { lines "$1" move; [ "$(one "$1" op)" = apply ] || lines "$1" with; } | while read -r name _ to; do pm_target "$from" "$name" "$to"; done
}
# pm_install JOB moves a job's packages to where it wants them. Who was installed by
# hand stays so.
pm_install() {
  unlocked 60 || { echo "$pm_locked"; return 1; }
  by_itself=$(automatic $({ lines "$1" move; lines "$1" with; } | cut -f1))
  pm_transact $(targets "$1")
  rc=$?
  [ -z "$by_itself" ] || pm_mark $by_itself
  return $rc
}
# pm_after JOB: for rpm a package whose script failed is installed. Configuration
# files that a package brought beside edited ones take their place where that is wanted.
pm_after() {
  [ "$(one "$1" conffiles)" != new ] || { lines "$1" move; lines "$1" with; } | while read -r name _; do
    rpm -qc "$name" | while read -r file; do
      [ -z "$(find "$file.rpmnew" -cnewer "$state/$1/request" 2>/dev/null)" ] || mv "$file.rpmnew" "$file"
    done
  done
  wrong=$(grep -B 3 'warning: %post\(trans\)\{0,1\}(.* scriptlet failed' "$state/$1/log") &&
    printf 'a script of the packages failed: %s' "$(printf '%s' "$wrong" | plain)"
}

# pm_check OP UNDOES NAME FROM TO...: facts of check.sh
pm_check() {
  op=$1 undoes=$2; shift 2
  say manager "$pm_manager"
  twice | while read -r name _; do say broken "$name" twice; done
  wanted='' asked=$# boot=
  i=0
  while [ $((i += 3)) -le "$asked" ]; do
    name=$1 version=$3
    pm_version "$name"
    ! beside "$name" || { say beside "$name"; boot=/boot; }
    for word in $(pm_target "$undoes" "$name" "$version"); do
      say target "$word"
      wanted="$wanted $word"
    done
    [ "$op" != rollback ] || ! pm_kept "$undoes" "$name" "$version" >/dev/null || say known "$name" "$version"
    set -- "$@" "$name" "$version"
    shift 3
  done
  room "$(rpm --eval '%{_dbpath}')" /var/cache/dnf /var/cache/zypp $boot
  unlocked 5 || { say locked "$pm_locked"; return; }
  available "$@"
  trial "$op" "$undoes" $wanted
}
