# The site's commands around a step, and the restart of a host, before which it is
# drained again.

# hook JOB NAME runs a command of the site's, where it declares one, as long as it
# may take. It is run again where nobody knows whether it came to its end.
hook() {
  line=$(lines "$1" hook | grep "^$2$tab") || return 0
  limit=$(printf '%s' "$line" | cut -f2) began=$(date +%s)
  echo "== $2" >>"$state/$1/log"
  (
    trap - HUP INT TERM PIPE
    export RINGMASTER_JOB="$1" RINGMASTER_HOOK="$2" RINGMASTER_OP="$(one "$1" op)" RINGMASTER_HOST="$(one "$1" host)"
    export RINGMASTER_PACKAGES="$({ lines "$1" move; lines "$1" with; } | awk -F'\t' '{ printf "%s%s=%s", between, $1, $3; between = " " }')"
    exec timeout -k 10 "$limit" sh -c "$(printf '%s' "$line" | cut -f3)"
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
  return $rc
}
hooked() { cat "$state/$1/hooks" 2>/dev/null; } # JOB: what they did
# refuse JOB WHY: nothing of it was moved, and it is as if it had not been asked for. What was
# drained has its traffic again.
refuse() {
  hook "$1" undrain
  printf '%s: %s' "$2" "$(hooked "$1")" | plain | put "$state/$1/refused"
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
  echo preparing | put "$state/$1/phase"
  if [ "$(one "$1" op)" = rollback ]; then
    hook "$1" drain
  elif why=$(mute "$1") && [ -n "$why" ]; then
    refuse "$1" "nothing was moved: $why"
    return 1
  elif ! hook "$1" snapshot || ! hook "$1" drain; then
    refuse "$1" "nothing was moved"
    return 1
  fi
  echo installing | put "$state/$1/phase"
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
  say leaving "$(booted)" | put "$state/$1/phase"
  if ! hook "$1" drain && [ "$(one "$1" op)" = apply ]; then
    stay "$1"
    return
  fi
  say restarting "$(booted)" | put "$state/$1/phase"
  { sleep 1; shutdown -r now || reboot; } 9>&- &
}
# stay JOB: until its host may restart, it has its traffic.
stay() {
  hook "$1" undrain
  say waits "$(booted)" | put "$state/$1/phase"
}
