# What ringmaster holds in the package manager, so that nobody else moves it: the names
# are lines of /var/lib/ringmaster/held, which is written before they are held. What a
# person holds is not in it.

ours() { grep -qxF -- "$1" "$state/held" 2>/dev/null; } # NAME: ringmaster holds it, not a person
# holding succeeds where ringmaster holds packages: of Alpine nothing is held yet.
holding() { [ "$using" != apk ]; }
# release JOB lets go what it moves and ringmaster holds; finish holds it again.
release() {
  holding || return
  { lines "$1" move; lines "$1" with; } | while read -r name _; do ! ours "$name" || pm_unhold "$name"; done
}
# hold JOB: from now on what it moved is ringmaster's to hold, or is not, as its step says.
hold() {
  holding || return
  wants=$(one "$1" hold)
  { lines "$1" move | while read -r name _ to; do [ "$wants" != yes ] || [ "$to" = - ] || echo "$name"; done
    [ ! -e "$state/held" ] || while read -r name; do
      [ "$wants" != no ] || ! lines "$1" move | cut -f1 | grep -qxF -- "$name" || continue
      echo "$name"
    done <"$state/held"; } | sort -u | put "$state/held"
  holds
}
holds() { ! holding || [ ! -s "$state/held" ] || pm_hold $(cat "$state/held"); }
# loosened drops from the record what a person has let go.
loosened() {
  ! holding || [ ! -s "$state/held" ] || pm_holds | while read -r name; do ! ours "$name" || echo "$name"; done | put "$state/held"
}
