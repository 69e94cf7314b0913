package advisory

import "strings"

// Modular reports whether the fix belongs to a module stream of an rpm
// distribution. Where it does and Module is "", the advisory does not say which
// stream, and versions of different streams must not be compared: every build
// of a module has ".module" in its release (1.20.1-1.module_el8.8.0+3553+bb08596b,
// 18.19.1-1.module+el8.9.0+21386+5a2ea569).
func (f Fix) Modular() bool {
	return f.Module != "" || ModularVersion(f.Fixed) || ModularVersion(f.LastAffected)
}

// ModularVersion reports whether an rpm version is that of a module's build.
func ModularVersion(v string) bool {
	return strings.Contains(v, ".module+") || strings.Contains(v, ".module_")
}
