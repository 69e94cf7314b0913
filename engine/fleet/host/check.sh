# What is to be known before a job is begun; nothing is changed by asking. It is said as
# facts, from which it is decided elsewhere (Weigh) whether the job may begin:
#
#   uid ID, now SECONDS           who asks, and the host's clock
#   version NAME VERSION STATUS   of what moves, and of what came with it: ok, held (by a person), unreadable,
#                                 or the package manager's word for what it left half done
#   broken NAME STATUS            a package that the package manager left half done
#   free MB FOLDER, readonly FOLDER
#   known NAME VERSION            a repository has it, or it was kept
#   undoes JOB, with NAME FROM TO the apply that a rollback undoes, and what came with it
#   target WORD, along WORD       how the package manager is told of a package, and of what came along
#   automatic NAME                it was installed as a dependency
#   need NAME                     what the packages depend on, and what that depends on
#   size KB                       of what would be fetched and unpacked
#   inst NAME OLD NEW, remv NAME  what would be done, first with what came along; "without" begins the second try
#   failed TEXT                   why the package manager would not
#   locked TEXT                   somebody else is installing
#   held NAME, ours NAME          what people hold, and what ringmaster does, which its steps let go
#   pending                       the host waits for a restart
#   manager WORD, beside NAME     of rpms: dnf or zypper; a package that is installed beside its former version
check() { # JOB OP TYPE NAME FROM TO...
  job=$1 op=$2 type=$3; shift 3
  if [ -e "$state/$job/request" ]; then
    told=$(look "$job")
    [ ! -e "$state/$job/request" ] || { printf '%s\n' "$told"; return; }
  fi
  use "$type" || { say refused "$(lacking "$type")"; return; }
  if [ -d "$state" ]; then
    { take && settle && loosened; } || { say busy "another job of ringmaster is at work on the host"; return; }
    leave
  fi
  say state none
  say uid "$(id -u)"
  say now "$(date +%s)"
  ! pm_pending || say pending
  ! holding || pm_holds | while read -r name; do if ours "$name"; then say ours "$name"; else say held "$name"; fi; done
  undoes=
  [ "$op" != rollback ] || undoes=$(undone "$@")
  pm_check "$op" "$undoes" "$@"
  return 0
}

# lacking TYPE says why nothing here moves packages of a type.
lacking() {
  case $1 in
    deb) needed='apt and dpkg' has='these are not there' ;;
    rpm) needed='dnf 4 or zypper' has='there is neither'
      if there dnf; then has='the host has dnf 5'; elif there yum; then has='the host has yum'; fi ;;
    *) needed=$1 has='it is not there' ;;
  esac
  printf 'packages of the type %s are moved by %s, and %s; a plugin (fleet "exec") can move them' "$1" "$needed" "$has"
}

# undone NAME FROM TO...: the newest apply of this host that moved the first package from TO to FROM
undone() {
  for dir in $(ls -dt "$state"/apply-* 2>/dev/null); do
    job=${dir##*/}
    ! lines "$job" move | grep -qxF -- "$1$tab$3$tab$2" || { echo "$job"; break; }
  done
}

# room FOLDER...: what is free where a package manager writes, and what it cannot write to
room() {
  for folder in / /usr "$state" "$@"; do
    [ -d "$folder" ] || continue
    [ -w "$folder" ] || say readonly "$folder" # as an image's is, or one that was mounted so after an error
    say free "$(df -Pk "$folder" | awk 'NR == 2 { print int($4 / 1024) }')" "$folder"
  done
}
# unlocked SECONDS waits so long until nobody else is installing.
unlocked() {
  waited=0
  while pm_busy; do
    [ $waited -lt "$1" ] || return 1
    waited=$((waited + 1)); sleep 1
  done
}
# trial OP UNDOES TARGET...: what the package manager would do. A rollback is tried with
# what came along, and without.
trial() {
  op=$1 undoes=$2; shift 2
  if [ "$op" = apply ]; then
    pm_dry apply "$@"
    return
  fi
  say undoes "$undoes"
  along=
  if [ -n "$undoes" ]; then
    along=$(lines "$undoes" with | while read -r name from to; do
      [ "$(pm_version "$name" | cut -f3)" != "$to" ] || pm_target "$undoes" "$name" "$from"
    done)
    for word in $along; do say along "$word"; done
    lines "$undoes" with | while read -r name from to; do say with "$name" "$from" "$to"; pm_version "$name"; done
  fi
  pm_dry rollback "$@" $along
  [ -z "$along" ] || { say without; pm_dry rollback "$@"; }
}

# closure reads "start NAME", "asks NAME WHAT" and "gives NAME WHAT", and says which
# names are needed: those to start with, and who gives what a needed one asks for.
closure() {
  awk '
    $1 == "start" { need[$2] }
    $1 == "asks" { asks[$2] = asks[$2] " " $3 }
    $1 == "gives" { gives[$3] = gives[$3] " " $2 }
    END {
      do {
        more = 0
        for (name in need) {
          if (said[name]++) continue
          print "need\t" name
          n = split(asks[name], what, " ")
          for (i = 1; i <= n; i++) {
            m = split(gives[what[i]], by, " ")
            for (j = 1; j <= m; j++) if (!(by[j] in need)) { need[by[j]]; more = 1 }
          }
        }
      } while (more)
    }'
}
