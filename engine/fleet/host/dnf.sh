# rpms by dnf 4, of Red Hat, its rebuilds, Amazon and Fedora.
pm_manager=dnf
dnf4() { dnf -y --setopt=install_weak_deps=False --setopt=clean_requirements_on_remove=False "$@"; }

# spec NAME VERSION: how dnf is told of an exact version, of each architecture that is installed
spec() {
  case $2 in *:*) exact=$1-$2 ;; *) exact=$1-0:$2 ;; esac
  arches=$(each "$1" | cut -f2 | sort -u)
  case $arches in
    *"
"*) printf '%s\n' "$arches" | while read -r arch; do echo "$exact.$arch"; done ;;
    *) echo "$exact" ;;
  esac
}
gone() { echo "-$1"; }
# Locks are those of dnf's plugin versionlock; without it nothing is held.
locks=/etc/dnf/plugins/versionlock.list
pm_holds() { sed -n 's/^\([^#! ][^ ]*\)-[^- ]*-[^- ]*\( .*\)\{0,1\}$/\1/p' $locks 2>/dev/null | named; }
pm_hold() {
  [ -e $locks ] || return
  for name; do
    pm_holds | grep -qxF -- "$name" || each "$name" | cut -f3 | sort -u | while read -r version; do
      case $version in *:*) ;; *) version=0:$version ;; esac
      echo "$name-$version.*" >>$locks
    done
  done
}
pm_unhold() { # NAME...
  for name; do
    awk -v name="$name" '!(index($0, name "-") == 1 && substr($0, length(name) + 2) ~ /^[0-9]*:[^-]*-[^-]*$/)' $locks >$locks.new && cat $locks.new >$locks
    rm -f $locks.new
  done
}
# pm_pending: 1 is also the exit code of a plugin that is not there, which says nothing
pm_pending() {
  if asks=$(dnf -q needs-restarting -r 2>/dev/null); then false; else [ -n "$asks" ]; fi
}
# pm_fetch FOLDER TARGET...: without keepcache the next transaction would take them away
pm_fetch() { folder=$1; shift; dnf4 --setopt=keepcache=1 reinstall --downloadonly --downloaddir="$folder" "$@"; }
pm_mark() { dnf -q mark remove "$@"; }
automatic() { dnf_says automatic "$@" | cut -f2; }
pm_dry() { dnf_says dry "$@"; }

# available NAME VERSION...: says which a repository has, and what is there as a
# dependency. Lists are read anew, once, where one seems to lack.
available() {
  told=$(dnf_says known "$@")
  case $told in *failed*) dnf -q clean expire-cache; told=$(dnf_says known "$@") ;; esac
  [ -z "$told" ] || printf '%s\n' "$told"
}
# pm_transact TARGET...: what goes, goes second
pm_transact() {
  forth='' away=''
  for word; do
    case $word in -*) away="$away ${word#-}" ;; *) forth="$forth $word" ;; esac
  done
  { [ -z "$forth" ] || dnf4 install $forth; } && { [ -z "$away" ] || dnf4 remove $away; }
}

# dnf_says VERB WORD...: facts from dnf's own library, for what dnf itself prints is for people
dnf_says() {
  "$(sed -n '1s/^#! *\([^ ]*\).*/\1/p' "$(command -v dnf)")" -s - "$@" 2>&1 <<'END' | grep "^[a-z]*$tab"
import sys
import dnf
import hawkey

verb, words = sys.argv[1], sys.argv[2:]


def say(*words):
    print("\t".join(" ".join(str(w).split()) for w in words))


def evr(p):
    return ("%s:" % p.epoch if p.epoch else "") + "%s-%s" % (p.version, p.release)


def opened():
    base = dnf.Base()
    conf = base.conf
    conf.read()
    conf.substitutions.update_from_etc(conf.installroot, varsdir=conf.varsdir)
    conf.substitutions["releasever"] = conf.releasever or dnf.rpm.detect_releasever(conf.installroot)
    conf.install_weak_deps, conf.clean_requirements_on_remove = False, False
    base.init_plugins(["versionlock"])  # what would be, were nothing held
    base.pre_configure_plugins()
    base.read_all_repos()
    base.configure_plugins()
    base.fill_sack()
    return base


def known(base):
    automatic(base, words[::2])
    query, everything = base.sack.query().available(), base.sack.query(flags=hawkey.IGNORE_EXCLUDES).available()
    for name, version in zip(words[::2], words[1::2]):
        if version == "-":
            continue
        if any(evr(p) == version for p in query.filter(name=name)):
            say("known", name, version)
        elif any(evr(p) == version for p in everything.filter(name=name)):
            say("failed", "%s %s is in a module stream that is not enabled, or excluded by dnf's configuration" % (name, version))
        else:
            say("failed", "%s %s is in none of %s" % (name, version, ", ".join(r.id for r in base.repos.iter_enabled()) or "no repository"))


def dry(base):
    local = [w for w in words[1:] if w.startswith("/")]
    before = {p.name: evr(p) for p in sorted(base.sack.query().installed(), key=lambda p: p.installtime)}
    for p in base.add_remote_rpms(local):
        base.package_install(p)
    for word in words[1:]:
        if word.startswith("-"):
            for p in base.sack.query().installed().filter(name=word[1:]):
                base.package_remove(p)
        elif word not in local:
            base.install(word)
    base.resolve()
    incoming = [i.pkg for i in base.transaction if i.action in dnf.transaction.FORWARD_ACTIONS]
    for p in incoming:
        say("inst", p.name, before.get(p.name, "-"), evr(p))
        say("size", (p.downloadsize + p.installsize) // 1024 + 1)
    for i in base.transaction:
        if i.action not in dnf.transaction.FORWARD_ACTIONS and not any(p.name == i.name for p in incoming):
            say("remv", i.name)
    if words[0] == "apply":
        asked = {w.rsplit("-", 2)[0] for w in words[1:]}
        needs(base, incoming, [p for p in incoming if p.name in asked])


def needs(base, incoming, todo):
    seen = set(todo)
    while todo:
        p = todo.pop()
        say("need", p.name)
        if p.requires:
            more = set(base.sack.query().filter(pkg=incoming, provides=p.requires)) - seen
            seen |= more
            todo += more


def automatic(base, names):
    chosen = {p.name for p in base.iter_userinstalled()}
    for p in base.sack.query().installed().filter(name=names):
        if p.name not in chosen:
            say("automatic", p.name)


try:
    {"known": known, "dry": dry, "automatic": lambda base: automatic(base, words)}[verb](opened())
except Exception as e:
    say("failed", "%s: %s" % (type(e).__name__, e))
END
}
