# rpms by zypper, of SUSE.
pm_manager=zypper
export ZYPP_LOCK_TIMEOUT=60
zypp() { zypper -n "$@"; }
# xml WORD...: zypper's answer, an element a line without its "<", its text behind it
xml() { zypper --xmlout -n "$@" 2>&1 | tr '\n' ' ' | sed 's/</\n/g'; }
# value ATTRIBUTE: of each element on standard input
value() { sed -n "s/.* $1=\"\\([^\"]*\\)\".*/\\1/p"; }

# spec NAME VERSION: how zypper is told of an exact version, of each architecture that is installed
spec() {
  arches=$(each "$1" | cut -f2 | sort -u)
  case $arches in
    *"
"*) printf '%s\n' "$arches" | while read -r arch; do echo "$1.$arch=$2"; done ;;
    *) echo "$1=$2" ;;
  esac
}
gone() { echo "!$1"; }
pm_holds() { sed -n 's/^solvable_name: *//p' /etc/zypp/locks 2>/dev/null | named; }
pm_hold() { for name; do pm_holds | grep -qxF -- "$name" || ! rpm -q "$name" >/dev/null || zypp addlock "$name" >/dev/null; done; }
pm_unhold() { zypp removelock "$@" >/dev/null; }
pm_pending() { zypp needs-rebooting >/dev/null 2>&1; [ $? = 102 ]; }
pm_fetch() { folder=$1; shift; zypp --pkg-cache-dir "$folder" download "$@"; }
auto=/var/lib/zypp/AutoInstalled
pm_mark() { for name; do grep -qxF -- "$name" $auto || echo "$name" >>$auto; done; }
automatic() { for name; do ! grep -qsxF -- "$name" $auto || echo "$name"; done; }

# available NAME VERSION...: says which a repository has, after reading their lists,
# and what is there as a dependency
available() {
  refused=$(zypp refresh 2>&1) || say failed "$(printf '%s' "$refused" | tail -n 3 | plain)"
  while [ $# -ge 2 ]; do
    automatic "$1" | while read -r name; do say automatic "$name"; done
    ! xml search -s --match-exact -t package "$1" | grep '^solvable ' | grep -v 'repository="(System Packages)"' |
      value edition | sed 's/^0://' | grep -qxF -- "$2" || say known "$1" "$2"
    shift 2
  done
}
# pm_transact TARGET...: 102, 103 and 106 are remarks of zypper after it has done what was asked
pm_transact() {
  zypp install --no-recommends --oldpackage "$@"
  rc=$?
  case $rc in 102 | 103 | 106) return 0 ;; esac
  return $rc
}
pm_dry() { # apply|rollback TARGET...
  op=$1; shift
  free=$(mktemp) # a configuration in which nothing is held
  { cat /etc/zypp/zypp.conf; printf '[main]\nlocksfile.path = /dev/null\n'; } >"$free" 2>/dev/null
  plan=$(export ZYPP_CONF="$free"; xml install --dry-run --no-recommends --oldpackage "$@")
  rm -f "$free"
  printf '%s\n' "$plan" | sed -n 's/^message type="error">//p; s/^description>\(Problem: .*\)/\1/p' |
    sed "s/&apos;/'/g; s/&quot;/\"/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g" | while read -r why; do say failed "$(printf '%s' "$why" | plain)"; done
  moves=$(printf '%s\n' "$plan" | awk "$attribute"'
    /^install-summary / { kb = (of("download-size") + of("space-usage-diff")) / 1024; print "size\t" (kb > 0 ? int(kb) : 0) + 1 }
    /^to-/ { gone = /^to-remove/ }
    /^solvable type="package" / {
      new = of("edition"); old = of("edition-old"); sub(/^0:/, "", new); sub(/^0:/, "", old)
      print (gone ? "remv\t" of("name") : "inst\t" of("name") "\t" old "\t" new) }')
  [ -z "$moves" ] || printf '%s\n' "$moves"
  [ "$op" != apply ] || needs "$moves" "$*"
}
attribute='function of(name) { return match($0, " " name "=\"[^\"]*\"") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4) : "-" }'
# needs MOVES TARGETS says which of the packages that would come in are what the
# targets depend on, and what that depends on, by the lists of the repositories.
needs() {
  for file in /var/cache/zypp/raw/*/repodata/*primary.xml*; do
    case $file in *.gz) gzip -dc "$file" ;; *.zst) zstd -dc "$file" ;; *.xz) xz -dc "$file" ;; *) cat "$file" ;; esac
  done 2>/dev/null | tr '\n' ' ' | sed 's/</\n/g' | moves=$1 targets=$2 awk "$attribute"'
    BEGIN {
      n = split(ENVIRON["moves"], line, "\n")
      m = split(ENVIRON["targets"], target, " ")
      for (i = 1; i <= n; i++) {
        if (split(line[i], word, "\t") != 4) continue
        comes[word[2] " " word[4]]
        for (j = 1; j <= m; j++) # NAME=VERSION or NAME.ARCH=VERSION
          if (index(target[j], word[2] "=") == 1 || index(target[j], word[2] ".") == 1 && substr(target[j], length(word[2]) + 2) ~ /^[a-z0-9_]+=/) print "start", word[2]
      }
    }
    /^name>/ { name = substr($0, 6) }
    /^version / { v = of("epoch") ":" of("ver") "-" of("rel"); sub(/^0:/, "", v); here = (name " " v) in comes }
    /^rpm:(provides|requires|conflicts|obsoletes|recommends|suggests|supplements|enhances)/ { part = $1 }
    !here { next }
    /^rpm:entry / && part ~ /provides/ { print "gives", name, of("name") }
    /^rpm:entry / && part ~ /requires/ { print "asks", name, of("name") }
    /^file/ { sub(/^file[^>]*>/, ""); print "gives", name, $0 }' | closure
}
