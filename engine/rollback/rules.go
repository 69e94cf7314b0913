package rollback

// Rule is a kind of update that cannot be rolled back.
type Rule struct {
	Patches   []string // patterns of patch ids
	Component string   // that an advisory of the patch names; "": whatever it names
	// Numbers is how many of a version's first numbers say whether data on disk is
	// changed: where none of them differs the update can be rolled back. 0: it never can.
	Numbers int
	Why     string
	Instead string
	Source  string // where that is said
}

const (
	bootFormer     = "boot the former kernel, which stays installed beside it"
	restoreData    = "restore the backup or snapshot of the data from before the update"
	restoreHost    = "restore the host's snapshot, or reinstall it"
	restartWithOld = "install the former package by hand and restart the host; what a newer system firmware brings stays"
)

// Rules are looked at in their order; the first that takes a patch counts.
// docs/rollback.md tells of all of them.
var Rules = []Rule{
	{
		Patches: []string{
			"deb:linux@*", "deb:linux-signed-*@*", "deb:linux-image-*@*", "deb:linux-modules-*@*", "deb:linux-hwe*@*", "deb:linux-lowlatency*@*",
			"deb:linux-aws*@*", "deb:linux-azure*@*", "deb:linux-gcp*@*", "deb:linux-gke*@*", "deb:linux-ibm*@*", "deb:linux-kvm*@*",
			"deb:linux-nvidia*@*", "deb:linux-oem*@*", "deb:linux-oracle*@*", "deb:linux-raspi*@*",
			"rpm:kernel@*", "rpm:kernel-core@*", "rpm:kernel-modules*@*", "rpm:kernel-default*@*", "rpm:kernel-rt*@*", "rpm:kernel-uek*@*", "rpm:kernel-PAE*@*", "rpm:kernel-64k*@*",
		},
		Why:     "a kernel is installed beside the former one, and runs until another one is booted",
		Instead: bootFormer,
		Source:  "dnf.conf(5), installonlypkgs; Debian Linux Kernel Handbook, 3.3",
	},
	{
		Patches: []string{"apk:linux-lts@*", "apk:linux-virt@*", "apk:linux-rpi*@*"},
		Why:     "the kernel replaces the former one, and Alpine's repositories keep no former versions",
		Instead: restoreHost,
		Source:  "Alpine Linux, which keeps the newest build of each stable branch alone",
	},
	{
		Patches: []string{"deb:intel-microcode@*", "deb:amd64-microcode@*", "rpm:microcode_ctl@*", "rpm:ucode-intel@*", "rpm:ucode-amd@*", "apk:intel-ucode@*", "apk:amd-ucode@*"},
		Why:     "a processor keeps newer microcode until it is restarted, whatever is installed",
		Instead: restartWithOld,
		Source:  "Linux kernel documentation, x86/microcode",
	},
	{
		Patches: []string{"generic:*-firmware@*", "generic:*-bios@*", "generic:*-bmc@*"},
		Why:     "firmware is written into the device, which need not take an older one",
		Instead: "follow the vendor's recovery of the device",
		Source:  "NIST SP 800-193, by which a device may refuse older firmware",
	},
	{
		Patches:   []string{"windows:*"},
		Component: "servicing-stack",
		Why:       "a servicing stack update cannot be uninstalled",
		Instead:   restoreHost,
		Source:    "Microsoft Learn, Servicing stack updates",
	},
	{
		Patches: []string{"deb:postgresql@*", "rpm:postgresql-server@*", "rpm:postgresql@*", "apk:postgresql@*", "generic:postgresql@*"},
		Numbers: 1,
		Why:     "a major version of PostgreSQL does not read the data directory of another",
		Instead: restoreData,
		Source:  "PostgreSQL documentation, Upgrading a PostgreSQL Cluster",
	},
	{
		Patches: []string{"deb:mysql-server*@*", "deb:mysql-[0-9]*@*", "deb:mysql-community-server@*", "rpm:mysql-server@*", "rpm:mysql@*", "rpm:mysql-community-server@*", "generic:mysql@*"},
		Numbers: 2,
		Why:     "MySQL does not go back in place from one release series to another",
		Instead: restoreData,
		Source:  "MySQL reference manual, Downgrading MySQL",
	},
	{
		Patches: []string{"deb:mariadb@*", "deb:mariadb-server*@*", "deb:mariadb-[0-9]*@*", "rpm:mariadb@*", "rpm:mariadb-server@*", "rpm:MariaDB-server@*", "apk:mariadb@*", "generic:mariadb@*"},
		Numbers: 2,
		Why:     "MariaDB does not go back in place from one release series to another",
		Instead: restoreData,
		Source:  "MariaDB documentation, Downgrading MariaDB",
	},
	{
		Patches: []string{"deb:glibc@*", "deb:libc6@*", "deb:libc-bin@*", "deb:systemd@*", "deb:systemd-sysv@*", "deb:libsystemd0@*", "deb:udev@*"},
		Why:     "Debian does not support going back, and everything on the host leans on it",
		Instead: restoreHost,
		Source:  "Debian wiki, SystemDowngrade",
	},
	{
		Patches: []string{"rpm:glibc*@*", "rpm:dbus*@*", "rpm:selinux-policy*@*"},
		Why:     "Red Hat does not support going back: the package takes updates for granted",
		Instead: restoreHost,
		Source:  "Red Hat, solutions 186763 and 64069",
	},
}
