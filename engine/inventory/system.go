package inventory

import (
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// systems are operating systems by os-release id: the type of their packages
// ("" for those whose packages ringmaster cannot order) and the name a person
// would say.
var systems = map[string]struct {
	packages version.Type
	name     string
}{
	"almalinux": {version.RPM, "AlmaLinux"}, "alpine": {version.APK, "Alpine Linux"}, "amzn": {version.RPM, "Amazon Linux"},
	"azurelinux": {version.RPM, "Azure Linux"}, "mariner": {version.RPM, "CBL-Mariner"}, "centos": {version.RPM, "CentOS Linux"},
	"chainguard": {version.APK, "Chainguard"}, "debian": {version.Deb, "Debian GNU/Linux"}, "fedora": {version.RPM, "Fedora Linux"},
	"freebsd": {"", "FreeBSD"}, "netbsd": {"", "NetBSD"}, "openbsd": {"", "OpenBSD"}, "dragonfly": {"", "DragonFly"},
	"macos": {"", "macOS"}, "solaris": {"", "Oracle Solaris"}, "aix": {"", "AIX"}, "hpux": {"", "HP-UX"},
	"ol": {version.RPM, "Oracle Linux Server"}, "openeuler": {version.RPM, "openEuler"}, "opensuse-leap": {version.RPM, "openSUSE Leap"},
	"opensuse-tumbleweed": {version.RPM, "openSUSE Tumbleweed"}, "opensuse": {version.RPM, "openSUSE"}, "photon": {version.RPM, "VMware Photon OS"},
	"raspbian": {version.Deb, "Raspbian GNU/Linux"}, "rhel": {version.RPM, "Red Hat Enterprise Linux"}, "rocky": {version.RPM, "Rocky Linux"},
	"scientific": {version.RPM, "Scientific Linux"}, "sled": {version.RPM, "SUSE Linux Enterprise Desktop"}, "sles": {version.RPM, "SUSE Linux Enterprise Server"},
	"sle-micro": {version.RPM, "SUSE Linux Enterprise Micro"}, "ubuntu": {version.Deb, "Ubuntu"}, "linuxmint": {version.Deb, "Linux Mint"},
	"kali": {version.Deb, "Kali GNU/Linux"}, "wolfi": {version.APK, "Wolfi"}, "windows": {version.Windows, "Windows"},
	"arch": {"", "Arch Linux"}, "gentoo": {"", "Gentoo"}, "virtuozzo": {version.RPM, "Virtuozzo"}, "cloudlinux": {version.RPM, "CloudLinux"},
	"miraclelinux": {version.RPM, "MIRACLE LINUX"},
}

// spellings are how scanners write what os-release calls otherwise.
var spellings = map[string]string{
	"alma": "almalinux", "amazon": "amzn", "amazonlinux": "amzn", "oracle": "ol", "oraclelinux": "ol", "oracle-linux": "ol",
	"redhat": "rhel", "red-hat-enterprise-linux": "rhel", "redhatenterpriselinux": "rhel", "rockylinux": "rocky", "almalinux-os": "almalinux",
	"cbl-mariner": "mariner", "azure": "azurelinux", "azure-linux": "azurelinux",
	"opensuse.leap": "opensuse-leap", "opensuse.tumbleweed": "opensuse-tumbleweed", "opensuse-leap": "opensuse-leap",
	"suse.linux.enterprise.server": "sles", "suse-linux-enterprise-server": "sles", "suse": "sles", "sles_sap": "sles", "sle": "sles",
	"suse.linux.enterprise.desktop": "sled", "suse-linux-enterprise-desktop": "sled",
	"suse.linux.enterprise.micro": "sle-micro", "suse.linux.micro": "sle-micro", "slem": "sle-micro", "sl-micro": "sle-micro", "sle_micro": "sle-micro",
	"macosx": "macos", "darwin": "macos", "mac-os-x": "macos", "mac_os_x": "macos", "mac_os_x_server": "macos", "macos_server": "macos",
	"sunos": "solaris", "oracle-solaris": "solaris", "hp-ux": "hpux", "archlinux": "arch", "linux-mint": "linuxmint",
	"photon-os": "photon", "vmware-photon-os": "photon", "miracle": "miraclelinux", "scientific-linux": "scientific", "centos-stream": "centos", "centos-linux": "centos",
}

// SystemID is the os-release id of an operating system as a scanner names it:
// "alma" and "AlmaLinux" are almalinux. A name nobody knows is kept, in lower
// case with "-" for spaces.
func SystemID(name string) string {
	id := strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), " ", "-")
	if strings.Contains(id, "windows") {
		return "windows"
	}
	if known, ok := spellings[id]; ok {
		return known
	}
	return id
}

// PackageType is the type of packages of an operating system, "" where
// ringmaster cannot order them.
func PackageType(systemID string) version.Type { return systems[systemID].packages }

// SystemName is an operating system and its release as a person would say it.
func SystemName(systemID, release string) string {
	name := systems[systemID].name
	if name == "" {
		return ""
	}
	return strings.TrimSpace(name + " " + release)
}

// SystemArch is a processor as the system's own packages name it: Debian and
// its kin say amd64 where uname says x86_64.
func SystemArch(systemID, machine string) string {
	machine = strings.ToLower(strings.TrimSpace(machine))
	switch PackageType(systemID) {
	case version.Deb:
		if deb, ok := map[string]string{"x86_64": "amd64", "aarch64": "arm64", "i686": "i386", "i586": "i386", "armv7l": "armhf", "ppc64le": "ppc64el"}[machine]; ok {
			return deb
		}
	case version.RPM, version.APK:
		if uname, ok := map[string]string{"amd64": "x86_64", "arm64": "aarch64", "386": "i686"}[machine]; ok {
			return uname
		}
	case version.Windows:
		if win, ok := map[string]string{"64-bit": "x86_64", "64-bits": "x86_64", "x64": "x86_64", "amd64": "x86_64", "32-bit": "x86", "arm64-based": "arm64"}[machine]; ok {
			return win
		}
	}
	return machine
}

// NewOS is an operating system by a scanner's name for it and a release, of which
// the first word counts: "2 (Karoo)" is 2, "9.2 EUS" is 9.2.
func NewOS(name, release string) *OS {
	id := SystemID(name)
	number, _, _ := strings.Cut(strings.TrimSpace(release), " ")
	return &OS{ID: id, Version: number, Name: SystemName(id, strings.TrimSpace(release))}
}
