package policy

import "strings"

var noTest = Check{
	Name: "no-test", Warning: true,
	About: "Every policy file has its _test.rego beside it; without one nobody knows that it still says what it said.",
	find: func(l *linter) {
		for _, name := range l.src.names() {
			test := strings.TrimSuffix(name, ".rego") + "_test.rego"
			m := l.src.modules[name]
			if _, ok := l.files[test]; ok || len(m.Rules) == 0 {
				continue
			}
			l.report(m.Package.Location, "no test stands beside it; expected %s", test)
		}
	},
}
