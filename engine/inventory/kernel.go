package inventory

import (
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// StaleKernel tells from the kernel that runs and the packages installed whether
// a reboot would bring a newer kernel: true where one is installed, false where
// the one that runs is the newest, nil where that cannot be told. Under dpkg a
// kernel may be replaced under the same name, so that it is never false there.
func (f *Facts) StaleKernel() *bool {
	if f.OS == nil || f.OS.Kernel == "" {
		return nil
	}
	switch PackageType(f.OS.ID) {
	case version.RPM:
		return staleRPM(f.OS.Kernel, f.Packages)
	case version.Deb:
		return staleDeb(f.OS.Kernel, f.Packages)
	}
	return nil
}

// staleRPM compares packages of the running kernel's flavour. uname says
// "4.18.0-513.9.1.el8_9.x86_64" on Red Hat's kin and "5.3.18-59.37-default" for
// the package 5.3.18-59.37.2 on SUSE's.
func staleRPM(running string, packages []Package) *bool {
	for _, arch := range []string{".x86_64", ".aarch64", ".i686", ".ppc64le", ".s390x"} {
		running = strings.TrimSuffix(running, arch)
	}
	names := []string{"kernel-core", "kernel"}
	release, flavour, suse := cutFlavour(running)
	switch {
	case suse:
		running, names = release, []string{"kernel-" + flavour, "kernel-" + flavour + "-base"}
	case strings.HasSuffix(running, "uek"):
		names = []string{"kernel-uek-core", "kernel-uek"}
	}
	found := false
	for _, p := range packages {
		if p.Type != version.RPM || p.Name != names[0] && p.Name != names[1] {
			continue
		}
		if p.Version == running || suse && strings.HasPrefix(p.Version, running+".") {
			found = true
			continue
		}
		if version.Compare(version.RPM, p.Version, running) > 0 {
			stale := true
			return &stale
		}
	}
	if found {
		return new(bool)
	}
	return nil
}

// staleDeb looks for images whose name has a newer release of the same flavour:
// linux-image-5.10.0-9-amd64 where 5.10.0-8-amd64 runs.
func staleDeb(running string, packages []Package) *bool {
	release, flavour, ok := cutFlavour(running)
	if !ok {
		return nil
	}
	for _, p := range packages {
		image, is := strings.CutPrefix(p.Name, "linux-image-")
		r, f, cut := cutFlavour(strings.TrimPrefix(image, "unsigned-"))
		if p.Type == version.Deb && is && cut && f == flavour && version.Compare(version.Deb, r, release) > 0 {
			stale := true
			return &stale
		}
	}
	return nil
}

// cutFlavour parts "5.10.0-8-cloud-amd64" into "5.10.0-8" and "cloud-amd64";
// false where either is missing.
func cutFlavour(s string) (release, flavour string, ok bool) {
	if s == "" || s[0] < '0' || s[0] > '9' {
		return "", "", false
	}
	for i := 0; i+1 < len(s); i++ {
		if s[i] == '-' && (s[i+1] < '0' || s[i+1] > '9') {
			return s[:i], s[i+1:], true
		}
	}
	return "", "", false
}

// FirstFix chooses from a scanner's list of fixed versions ("2.1.7, 3.0.5") the
// one to move to: the lowest that is newer than what is installed, the highest
// where none is.
func FirstFix(t version.Type, installed, fixed string) string {
	best := ""
	for v := range strings.SplitSeq(fixed, ",") {
		v = strings.TrimSpace(v)
		if v == "" {
			continue
		}
		if best == "" {
			best = v
			continue
		}
		newer, older := version.Compare(t, v, installed) > 0, version.Compare(t, v, best) < 0
		was := version.Compare(t, best, installed) > 0
		if newer && (!was || older) || !newer && !was && !older {
			best = v
		}
	}
	return best
}
