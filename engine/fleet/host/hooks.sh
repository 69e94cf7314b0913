# The site's hooks around a step, and the restart of a host, before which it is
# drained again.

# hook JOB NAME runs a command of the site's, where it declares one, as long as it
# may take. It is run again where nobody knows whether it came to its end. A hook without a
# command is carried out from outside, by Ansible: what works on the job ends there, with 75, and
# comes by again when it is told what came of it.
hook() {
  line=$(lines "$1" hook | grep "^$2$tab") || return 0
  [ ! -e "$state/$1/came-$2" ] || return "$(cat "$state/$1/came-$2")"
  command=$(printf '%s' "$line" | cut -f3)
  if [ -z "$command" ]; then
    echo "$2" | put "$state/$1/asks"
    exit 75
  fi
  limit=$(printf '%s' "$line" | cut -f2) began=$(date +%s)
  echo "== $2" >>"$state/$1/log"
  (
    trap - HUP INT TERM PIPE
    export RINGMASTER_JOB="$1" RINGMASTER_HOOK="$2" RINGMASTER_OP="$(one "$1" op)" RINGMASTER_HOST="$(one "$1" host)"
    export RINGMASTER_PACKAGES="$(packages "$1")"
    exec timeout -k 10 "$limit" sh -c "$command"
  ) </dev/null >"$state/$1/said" 2>&1 9>&-
  rc=$?
  cat "$state/$1/said" >>"$state/$1/log"
  case $rc in
    0) what="took $(($(date +%s) - began)) s" ;;
    124 | 137) what="did not end within $limit s" ;;
    *) what="failed with $rc" ;;
  esac
  said=$(tail -n 1 "$state/$1/said" | plain) said=${said% }
  printf '%s %s%s; ' "$2" "$what" "${said:+ ($said)}" >>"$state/$1/hooks"
  echo $rc | put "$state/$1/came-$2"
  return $rc
}
packages() { { lines "$1" move; lines "$1" with; } | awk -F'\t' '{ printf "%s%s=%s", between, $1, $3; between = " " }'; } # JOB
hooked() { cat "$state/$1/hooks" 2>/dev/null; } # JOB: what they did
# phase JOB WORD...: it comes to that, and what hooks did before counts no more.
phase() {
  rm -f "$state/$1"/came-* "$state/$1/asks"
  into=$state/$1/phase; shift
  say "$@" | put "$into"
}

# asked JOB: the hook that is to be carried out from outside. Of undrain anybody is told: it is for a
# host that is well, and may be done twice. Of snapshot and drain who began the job is, and may still be
# at it.
asked() {
  asks=$(cat "$state/$1/asks" 2>/dev/null)
  case $verb$asks in
    *undrain | begin?* | came?* | restart?*) say asks "$asks" "$(packages "$1")" ;;
  esac
}
# outside JOB says whether whoever is to carry out its snapshot or drain, and to go on then, may still
# be at it.
outside() {
  lines "$1" hook | cut -f3 | grep -qx '' && [ "$(cat "$state/$1/asks" 2>/dev/null)" != undrain ] || return
  newest=$(ls -t "$state/$1/asks" "$state/$1"/came-* 2>/dev/null | head -n 1)
  limit=$(lines "$1" hook | cut -f2 | sort -n | tail -n 1)
  [ -n "$newest" ] && [ $(($(date +%s) - $(stat -c %Y "$newest"))) -lt $((limit + 30)) ]
}
# came JOB NAME RC TEXT: what came of a hook that was carried out from outside. It is "late" where nobody
# asks for it any more.
came() {
  tries=0
  until take; do
    [ $((tries += 1)) -lt 60 ] || return
    sleep 1
  done
  if [ "$(cat "$state/$1/asks" 2>/dev/null)" != "$2" ]; then
    say late
  else
    printf '%s %s; ' "$2" "$4" >>"$state/$1/hooks"
    echo "$3" | put "$state/$1/came-$2" && rm "$state/$1/asks" || return
    if [ "$(cat "$state/$1/phase")" = preparing ]; then # who began it begins again
      say begins
      report "$1"
      return
    fi
  fi
  leave
  look "$1"
}

# refuse JOB WHY: nothing of it was moved, and it is as if it had not been asked for. What was
# drained has its traffic again.
refuse() {
  phase "$1" refusing "$2"
  refused "$1"
}
refused() { # JOB
  hook "$1" undrain
  printf '%s: %s' "$(cut -f2 "$state/$1/phase")" "$(hooked "$1")" | plain | put "$state/$1/refused"
}
# mute JOB prints what could never tell whether its services run the new version: a command that
# is not on the host.
mute() {
  lines "$1" running | while read -r name command; do
    lines "$1" move | grep -q "^$name$tab-$tab" && continue # it may come with the package
    why=$(timeout 60 sh -c "$command" 9>&- </dev/null 2>&1 >/dev/null)
    case $? in 126 | 127) printf 'what is to tell the version of %s that runs cannot be run: %s' "$name" "$why" ;; esac
  done
}
# prepare JOB: snapshot and drain, and on to the install. What goes back goes back although
# it cannot be drained.
prepare() {
  [ -e "$state/$1/phase" ] || phase "$1" preparing
  if [ "$(one "$1" op)" = rollback ]; then
    hook "$1" drain
  elif why=$(mute "$1") && [ -n "$why" ]; then
    refuse "$1" "nothing was moved: $why"
    return 1
  elif ! hook "$1" snapshot || ! hook "$1" drain; then
    refuse "$1" "nothing was moved"
    return 1
  fi
  phase "$1" installing
}
# untouched JOB says whether what was to move is all as it was before.
untouched() {
  [ "$(one "$1" op)" = apply ] && lines "$1" move | while read -r name from _; do
    [ "$(pm_version "$name" | cut -f3,4)" = "$from${tab}ok" ] || return 1
  done
}

# restart JOB: its host may go down, once whoever asks has been answered.
restart() {
  use_of "$1"
  if take; then
    { trap '' HUP INT TERM PIPE; [ "$(cat "$state/$1/phase")" != "waits$tab$(booted)" ] || down "$1"; } </dev/null >/dev/null 2>&1 &
    leave
    wait $!
  fi
  report "$1"
}
# down JOB: a host leaves its traffic, and restarts; one that cannot leave it stays, but for one
# that is taken back.
down() {
  phase "$1" leaving "$(booted)"
  away "$1"
}
away() { # JOB
  if ! hook "$1" drain && [ "$(one "$1" op)" = apply ]; then
    stay "$1"
    return
  fi
  phase "$1" restarting "$(booted)"
  { sleep 1; shutdown -r now || reboot; } 9>&- &
}
# stay JOB: until its host may restart, it has its traffic.
stay() {
  hook "$1" undrain
  phase "$1" waits "$(booted)"
}
