package exec

import (
	"fmt"
	"os"
	"strings"
)

// inherited is what every plugin gets.
var inherited = []string{"PATH", "HOME", "LANG"}

// tokens are the variables that hold a forge's token, whatever their case.
var tokens = []string{
	"GITHUB_TOKEN", "GH_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GH_ENTERPRISE_TOKEN",
	"ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL",
	"GITHUB_APP_PRIVATE_KEY", "GITLAB_TOKEN", "CI_JOB_TOKEN", "GITEA_TOKEN", "FORGEJO_TOKEN",
}

// prefixes are how GitHub's and GitLab's tokens begin, so that one under another
// name is known too.
var prefixes = []string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-"}

// CheckEnv reports a declared variable that no plugin may have: one that by its
// name holds a forge's token, or whose name is none.
func CheckEnv(names []string) error {
	for _, name := range names {
		upper := strings.ToUpper(name)
		switch {
		case name == "" || strings.ContainsAny(name, "=\x00"):
			return fmt.Errorf("env %q is not the name of a variable", name)
		case isToken(upper):
			return fmt.Errorf("env %q holds a forge's token, which plugins never get", name)
		}
	}
	return nil
}

func isToken(upper string) bool {
	for _, t := range tokens {
		if upper == t {
			return true
		}
	}
	forge := strings.Contains(upper, "GITHUB") || strings.HasPrefix(upper, "GH_") || strings.HasPrefix(upper, "ACTIONS_")
	return forge && (strings.Contains(upper, "TOKEN") || strings.Contains(upper, "PRIVATE_KEY") || strings.Contains(upper, "SECRET"))
}

// Environment is what a command that the estate names starts with: PATH, HOME, LANG
// and the variables of these names. One that is not set stays unset; one whose value
// is a forge's token is refused by whatever name. Lookup reads a variable of this
// process; it is os.LookupEnv when it is nil.
func Environment(names []string, lookup func(name string) (string, bool)) ([]string, error) {
	if err := CheckEnv(names); err != nil {
		return nil, err
	}
	if lookup == nil {
		lookup = os.LookupEnv
	}
	env := []string{}
	for i, name := range append(inherited[:len(inherited):len(inherited)], names...) {
		value, ok := lookup(name)
		if !ok {
			continue
		}
		if i >= len(inherited) && holdsToken(value, lookup) {
			return nil, fmt.Errorf("env %q holds a forge's token, which plugins never get", name)
		}
		env = append(env, name+"="+value)
	}
	return env, nil
}

func holdsToken(value string, lookup func(string) (string, bool)) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(value, p) {
			return true
		}
	}
	for _, t := range tokens {
		secret, ok := lookup(t)
		if ok && secret != "" && (value == secret || len(secret) >= 8 && strings.Contains(value, secret)) {
			return true
		}
	}
	return false
}
