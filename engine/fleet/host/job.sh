# What a fleet runs on a host: given to a shell on its standard input, as root,
# after the functions of package managers (deb.sh and its like, each within a
# function manager_NAME). It answers in lines of words separated by tabs; the last
# one is "end".
#
# A job is a folder of /var/lib/ringmaster, named by the key of its step:
#
#   request   what was asked, written before anything is done
#   phase     preparing, while hooks run before anything is moved; refusing, when one kept it
#             from beginning; installing; moved, and whether well, when that is over; waits,
#             for leave to restart, leaving, while it is drained for that, and restarting,
#             each with the boot id before
#   log       what the package manager and the hooks printed
#   hooks     what the site's hooks did, and that the host was restarted, in their order
#   asks      the hook that is to be carried out from outside; came-NAME is the exit code of one
#             that was carried out in this phase
#   refused   why a hook kept it from beginning: it is no job then
#   former    packages in the versions before, so that going back needs no repository
#   result    what came of it, written last
#
# Each is written under another name, brought to disk, and renamed. Whoever is at
# work on a job holds a lock. A job without a result whose lock is free was cut
# off, and whoever asks for it next settles it. The work itself does not end with
# the connection that asked for it. A job "by" something else, a playbook, has its packages
# moved from outside, between the verbs begin and moved; it counts as cut off there when
# nobody is installing on the host, and its phase has not changed for a while.

export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 022
state=/var/lib/ringmaster
tab=$(printf '\t')

# use TYPE defines what begins with pm_, for packages of a type. It fails where the
# host has no package manager for them.
use() {
  using=$1
  case $1 in
    deb) [ -s /var/lib/dpkg/status ] && manager_deb ;;
    apk) there apk && [ -s /lib/apk/db/installed ] && manager_apk ;;
    rpm)
      manager_rpm
      if there zypper; then
        manager_zypper
      else # dnf 5 is no script
        there dnf && [ "$(head -c 2 "$(command -v dnf)")" = '#!' ] && manager_dnf
      fi ;;
    *) false ;;
  esac
}
use_of() { # JOB: those that were written before types were are of Debian
  type=$(one "$1" type)
  use "${type:-deb}"
}
there() { command -v "$1" >/dev/null; }

say() { # WORD...: a line of the answer
  line=$1; shift
  for word; do line="$line$tab$word"; done
  printf '%s\n' "$line"
}
put() { # FILE: what is on standard input becomes its content, all or nothing
  cat >"$1.new" && sync "$1.new" && mv "$1.new" "$1"
}
plain() { tr '\t\n' '  ' | tr -cd '[:print:]' | cut -c1-900; }
booted() { cat /proc/sys/kernel/random/boot_id; }
lines() { sed -n "s/^$2$tab//p" "$state/$1/request"; } # JOB WORD: the rest of its lines that begin with WORD
one() { lines "$1" "$2" | head -n 1; }
take() { exec 9>>"$state/lock" && flock -n 9; }
leave() { exec 9>&-; }

# report tells how far a job is. One that was refused is forgotten by it.
report() {
  if [ -e "$state/$1/refused" ]; then
    say state none
    say refused "$(cat "$state/$1/refused")"
    rm -rf "${state:?}/$1"
  elif [ -e "$state/$1/result" ]; then
    say at "$(one "$1" at)"
    cat "$state/$1/result"
  else
    say state running
    say phase "$(cat "$state/$1/phase" 2>/dev/null)"
    case $(cat "$state/$1/phase" 2>/dev/null) in waits*) say detail "the packages were moved, and the host waits for its restart; $(hooked "$1" | plain)" ;; esac
    asked "$1"
  fi
}

# finish JOB STATE DETAIL writes the result. A host on which it failed stays drained, but
# for one that is as it was: nothing will be taken back there.
finish() {
  holds
  if [ "$2" = failed ]; then
    if untouched "$1"; then
      hook "$1" undrain
    elif lines "$1" hook | grep -q "^drain$tab"; then
      printf 'it stays drained; ' >>"$state/$1/hooks"
    fi
  fi
  restarted=0
  case $(cat "$state/$1/phase" 2>/dev/null) in waits* | leaving* | restarting*) restarted=1 ;; esac
  { say state "$2"
    say finished "$(date +%s)"
    say restarted "$restarted"
    { lines "$1" move; lines "$1" with; } | while read -r name _; do pm_version "$name"; done
    say detail "$(printf '%s%s' "$3" "$(hooked "$1")" | plain)"; } | put "$state/$1/result"
}

# differs JOB prints what is not as the job wants it, and nothing when all is.
differs() {
  { lines "$1" move; lines "$1" with; } | while read -r name _ to; do
    pm_version "$name" | while read -r _ _ version status; do
      [ "$version" = "$to" ] && [ "$status" = ok ] || printf '%s is at %s (%s), not at %s; ' "$name" "$version" "$status" "$to"
    done
  done
}

# stale JOB prints which services run another version than is on disk, after
# they were restarted where it is known how.
stale() {
  lines "$1" running | while read -r name command; do
    to=$({ lines "$1" move; lines "$1" with; } | while read -r n _ to; do [ "$n" != "$name" ] || echo "$to"; done)
    again=$(lines "$1" again | sed -n "s/^$name$tab//p")
    [ -n "$to" ] || continue
    silent=60
    [ -z "$again" ] || silent=10
    runs=$(answers "$command" "$to" 3 $silent)
    if [ "$runs" != "$to" ] && [ -n "$again" ]; then
      sh -c "$again" 9>&- </dev/null >>"$state/$1/log" 2>&1
      runs=$(answers "$command" "$to" 60 60)
    fi
    [ "$runs" = "$to" ] || printf '%s is at %s on disk, and %s runs; ' "$name" "$to" "${runs:-nothing that answers}"
  done
}
# answers COMMAND VERSION SECONDS SILENT: what a service says it is, once it is that
# version or time is up. One that says nothing may still be coming up.
answers() {
  spent=0
  while :; do
    runs=$(sh -c "$1" 9>&- </dev/null 2>/dev/null | head -n 1)
    limit=$3
    [ -n "$runs" ] || limit=$4
    [ "$runs" != "$2" ] && [ "$spent" -lt "$limit" ] || break
    spent=$((spent + 1)); sleep 1
  done
  printf '%s' "$runs"
}

# work does a job, or goes on with one that was cut off. It holds the lock.
work() {
  trap '' HUP INT TERM PIPE
  job=$1 why=
  use_of "$job"
  case $(cat "$state/$job/phase" 2>/dev/null) in
    '') [ -z "$(one "$job" by)" ] || { rm -rf "${state:?}/$job"; return; } # it never began
      prepare "$job" || return
      carry "$job" || why=$(broke "$job") ;;
    preparing) # something ended it before anything was moved
      ! outside "$job" || return
      refuse "$job" "it was cut off, and nothing was moved"
      return ;;
    refusing*)
      refused "$job"
      return ;;
    moved*)
      case $(cat "$state/$job/phase") in *failed*) why=$(broke "$job") ;; esac ;;
    installing) # something ended it in the middle
      [ -z "$(one "$job" by)" ] || ! awaited "$job" || return
      repair "$job"
      if [ "$(one "$job" op)" = rollback ]; then
        carry "$job" || why=$(broke "$job")
      elif [ -n "$(differs "$job")" ]; then
        finish "$job" failed "the host stopped in the middle of it: $(differs "$job")"
        return
      fi ;;
    "waits$tab$(booted)") return ;;
    "leaving$tab$(booted)") # something ended it before it went down, unless its drain came from outside
      if [ -e "$state/$job/came-drain" ]; then away "$job"; else outside "$job" || stay "$job"; fi
      return ;;
    "restarting$tab$(booted)") # it still has to go down
      age=$(($(date +%s) - $(stat -c %Y "$state/$job/phase")))
      if [ $age -ge 600 ]; then
        finish "$job" failed "the host was told to restart, and did not in ten minutes"
      elif [ $age -ge 60 ]; then
        shutdown -r now || reboot # whoever was to do it did not live to
      fi
      return ;;
    waits* | leaving* | restarting*)
      [ -e "$state/$job/asks" ] || [ -e "$state/$job/came-undrain" ] || printf 'the host was restarted; ' >>"$state/$job/hooks" ;;
  esac
  [ -n "$why" ] || why=$(pm_after "$job")
  wrong=$(differs "$job")
  if [ -n "$why$wrong" ]; then
    finish "$job" failed "$wrong$why"
    return
  fi
  hold "$job"
  case $(cat "$state/$job/phase") in installing | moved*)
    if restarts "$job"; then
      stay "$job"
      return
    fi ;;
  esac
  wrong=$(stale "$job")
  if [ -z "$wrong" ] && hook "$job" undrain; then finish "$job" succeeded "$(remarks "$job")"; else finish "$job" failed "$wrong"; fi
}

# broke JOB says how its package manager failed: what a script of an rpm said of it stands
# further up in the log.
broke() {
  printf 'the package manager failed: %s' "$({ grep -B 3 'scriptlet failed' "$state/$1/log"; tail -n 10 "$state/$1/log"; } | plain)"
}

# awaited says whether whoever moves a job's packages from outside may still be at it: it has just
# begun, or what Ansible started for it lives, or the package manager is at work.
awaited() {
  [ $(($(date +%s) - $(stat -c %Y "$state/$1/phase"))) -ge 30 ] || return 0
  for p in /proc/[0-9]*; do
    ! grep -qs async_wrapper "$p/cmdline" || ! tr '\0' '\n' <"$p/environ" | grep -qxF "RINGMASTER_JOB=$1" || return 0
  done 2>/dev/null
  pm_busy
}

restarts() { # JOB
  case $(one "$1" reboot) in
    always) true ;;
    if-needed) pm_pending || { lines "$1" move; lines "$1" with; } | grep -q '^linux-image-\|^kernel' ;;
    *) false ;;
  esac
}
# outdated prints the programs that run with files which were replaced or removed since.
outdated() {
  for p in /proc/[0-9]*; do
    ! grep -qs ' /\(usr\|opt\|bin\|sbin\|lib\|srv\)[^ ]*/.* (deleted)$' "$p/maps" || cat "$p/comm"
  done 2>/dev/null | sort -u | tr '\n' ' '
}
remarks() {
  ! grep -qx pending "$state/$1/request" || printf 'the host waited for a restart before; '
  ! pm_pending || printf 'the host waits for a restart; '
  old=$(outdated)
  [ -z "$old" ] || printf 'programs run with files that are gone from disk: %s; ' "${old% }"
  held=$(! holding || pm_holds)
  for name in $(! holding || cat "$state/held" 2>/dev/null); do
    printf '%s\n' "$held" | grep -qxF -- "$name" || [ "$(pm_version "$name" | cut -f3)" = - ] || printf '%s could not be held; ' "$name"
  done
  [ "$(one "$1" op)" = apply ] || return
  { lines "$1" move; lines "$1" with; } | while read -r name from _; do
    [ "$from" = - ] || pm_kept "$1" "$name" "$from" >/dev/null || pm_known "$name" "$from" >/dev/null ||
      printf '%s %s is in no repository any more, so it cannot come back; ' "$name" "$from"
  done
}
carry() { # JOB: moves its packages
  ready "$1"
  pm_install "$1" >>"$state/$1/log" 2>&1 9>&-
}
# ready JOB is what its packages need before they are moved: the versions before are fetched,
# so that going back needs no repository, or what was left half done is made whole.
ready() {
  if [ "$(one "$1" op)" = rollback ]; then
    repair "$1"
    return
  fi
  release "$1" >>"$state/$1/log" 2>&1 9>&-
  { lines "$1" move; lines "$1" with; } | while read -r name from _; do [ "$from" = - ] || pm_keep "$1" "$name" "$from"; done >>"$state/$1/log" 2>&1 9>&-
}
repair() { # JOB
  release "$1" >>"$state/$1/log" 2>&1 9>&-
  pm_repair "$1" >>"$state/$1/log" 2>&1 9>&-
}

# run starts a job's work, or what is left of it, and waits for it. It is called
# with the lock held, which goes to the work.
run() {
  work "$1" </dev/null >/dev/null 2>&1 &
  leave
  wait $!
}

# settle ends what was cut off: every job without a result. The lock is held. It fails where
# somebody is at work.
settle() {
  for request in "$state"/*/request; do
    other=${request%/request}; other=${other##*/}
    [ -e "$request" ] && [ ! -e "$state/$other/result" ] || continue
    [ -e "$state/$other/refused" ] || run "$other"
    [ ! -e "$state/$other/refused" ] || rm -rf "${state:?}/$other" # whoever asked for it is gone
    take || return 1
    [ -e "$state/$other/result" ] || case $(cat "$state/$other/phase" 2>/dev/null) in preparing | installing | leaving*) return 1 ;; esac
  done
}

look() { # JOB
  if [ -e "$state/$1/request" ]; then
    [ -e "$state/$1/result" ] || [ -e "$state/$1/refused" ] || ! take || run "$1"
    leave
  fi
  if [ -e "$state/$1/request" ]; then report "$1"; else say state none; fi
}

# unlike prints what is not at the version that an apply, on standard input, begins with.
unlike() {
  sed -n "/^op${tab}apply/,\$s/^move$tab//p" | while read -r name from _; do
    version=$(pm_version "$name" | cut -f3)
    [ "$version" = "$from" ] || printf '%s is at %s, not at %s; ' "$name" "$version" "$from"
  done
}

deny() { say "$@"; say end; exit; } # WORD WHY: the whole answer
# accept JOB REQUEST takes the lock, and keeps what is asked before anything is done.
accept() {
  mkdir -p -m 700 "$state" || return
  take || deny busy "another job of ringmaster is at work on the host"
  [ ! -e "$state/$1/request" ] || return 0
  settle || deny busy "another job of ringmaster is at work on the host"
  use "$(printf '%s\n' "$2" | sed -n "s/^type$tab//p" | head -n 1)"
  wrong=$(printf '%s\n' "$2" | unlike)
  [ -z "$wrong" ] || deny refused "$wrong"
  find "$state" -maxdepth 2 -name former -mtime +45 -exec rm -rf {} +
  mkdir -p "$state/$1" && { say at "$(date +%s)"; printf '%s\n' "$2"; } | put "$state/$1/request"
}

start() { # JOB REQUEST: does it
  accept "$1" "$2" || return
  if [ -e "$state/$1/result" ]; then leave; else run "$1"; fi
  report "$1"
}

# begin JOB REQUEST: all that comes before a playbook moves the packages, which it does
# where the answer has "begun".
begin() {
  accept "$1" "$2" || return
  case $(cat "$state/$1/phase" 2>/dev/null) in
    '' | preparing) ;; # it is new, or a hook was carried out since
    *) # whoever began it is at it, or was cut off
      leave
      look "$1"
      return ;;
  esac
  use_of "$1"
  { trap '' HUP INT TERM PIPE; prepare "$1" && { ready "$1"; touch "$state/$1/phase"; }; } </dev/null >/dev/null 2>&1 &
  leave
  ! wait $! || say begun
  report "$1"
}

# moved JOB HOW LOG NAME...: a playbook moved the packages, which "failed" where HOW is that; LOG is
# what the package manager said, and each NAME stays what was installed as a dependency.
moved() {
  job=$1 how=$2 said=$3; shift 3
  use_of "$job"
  if [ ! -e "$state/$job/result" ]; then
    { printf '%s\n' "$said"; [ $# = 0 ] || pm_mark "$@"; } >>"$state/$job/log" 2>&1
    phase "$job" "moved $how"
  fi
  look "$job"
}

installed() { # NAME...: what a job that is not over moves is left out
  busy=$(for r in "$state"/*/request; do
    d=${r%/request}
    [ ! -e "$r" ] || [ -e "$d/result" ] || [ -e "$d/refused" ] || { lines "${d##*/}" move; lines "${d##*/}" with; } | cut -f1
  done)
  types=$(for type in deb rpm apk; do ! (use $type) || echo $type; done)
  [ -n "$types" ] || { echo 'it has no package manager that is known here: apt, dnf 4, zypper or apk' >&2; return 1; }
  for name; do
    ! printf '%s\n' "$busy" | grep -qxF -- "$name" || continue
    for type in $types; do
      use $type
      told=$(pm_version "$name")
      case $told in *"$tab-$tab"*) ;; *) break ;; esac
    done
    printf '%s\n' "$told"
  done
}

main() {
  verb=$1; shift
  case $verb in look|check|start|begin|moved|came|restart|installed) "$verb" "$@" && say end ;; esac
}
