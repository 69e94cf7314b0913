package policy

import (
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// banned says why a built-in is not for policies, "" when it is. The answer of a
// policy depends on its input and its data alone.
func banned(b *ast.Builtin) string {
	switch {
	case b.Name == "time.now_ns":
		return "reads the clock; the time is input.at"
	case b.Name == "http.send", b.Name == "net.lookup_ip_addr":
		return "reaches the network; facts belong in the estate"
	case b.Name == "json.match_schema", b.Name == "json.verify_schema":
		return "may fetch the references of a schema from the network or the disk"
	case b.Name == "opa.runtime":
		return "reads the environment; configuration belongs in data.json"
	case strings.HasPrefix(b.Name, "rand."), b.Name == "uuid.rfc4122":
		return "throws dice; the same input must have the same answer"
	case b.Name == "io.jwt.decode_verify", strings.HasPrefix(b.Name, "crypto.x509.parse_and_verify"):
		return "compares with the clock of the machine"
	case strings.HasPrefix(b.Name, "io.jwt."), strings.HasPrefix(b.Name, "providers."):
		return "deals in credentials, which policies never see"
	case b.IsNondeterministic():
		return "may answer differently to the same input"
	}
	return ""
}

var bannedWhy = func() map[string]string {
	list := map[string]string{}
	for _, b := range ast.Builtins {
		if why := banned(b); why != "" {
			list[b.Name] = why
		}
	}
	return list
}()

// capabilities are OPA's without what is banned, and without any network for
// schemas.
func capabilities() *ast.Capabilities {
	c := ast.CapabilitiesForThisVersion()
	var kept []*ast.Builtin
	for _, b := range c.Builtins {
		if bannedWhy[b.Name] == "" {
			kept = append(kept, b)
		}
	}
	c.Builtins = kept
	c.AllowNet = []string{}
	return c
}
