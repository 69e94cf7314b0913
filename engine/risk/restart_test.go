package risk

import (
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Sentences as bulletins of Debian, Ubuntu, Red Hat, SUSE, Microsoft and makers of
// appliances have them.
func TestRestartInBulletins(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"Fixes a heap overflow in the parser.", ""},
		{"In general, a standard system update will make all the necessary changes.", ""},
		{"After a standard system update you need to reboot your computer to make\nall the necessary changes.", "reboot"},
		{"The system must be rebooted for this update to take effect.", "reboot"},
		{"You must restart your computer after you apply this update.", "reboot"},
		{"After installing the updated packages, the httpd daemon will be restarted automatically.", "service"},
		{"For the update to take effect, all services linked to the OpenSSL library must be restarted, or the system rebooted.", "service"},
		{"After a standard system update you need to restart Samba to make all the necessary changes.", "service"},
		{"A restart is not required.", "none"},
		{"This update can be installed without a reboot.", "none"},
		{"No restart of the service is needed. Support: +1 555.", "none"},
		{"A remote attacker could cause the device to reboot; the device must be reachable.", ""},
		{"An issue where the host would reboot after an upgrade was fixed.", ""},
		{"No restart is needed on replicas. The primary host must be rebooted.", "reboot"},
		{"REBOOT REQUIRED", "reboot"},
	} {
		if got := restartIn(c.text); got != c.want {
			t.Errorf("restartIn(%q) = %q, want %q", c.text, got, c.want)
		}
	}
}

// What the bulletin asks for is a feature of the change, and one that was learnt
// from says the same again.
func TestRestartIsAFeature(t *testing.T) {
	p := Patch{ID: "generic:heron-web@4.2.2", Package: "heron-web", To: "4.2.2", Advisories: []*advisory.Advisory{
		{Bulletin: "A restart is not required."}, {Bulletin: "The service must be restarted."},
	}}
	k := Know(p, nil, Setting{}, now)
	if k.Restart != "service" || k.Features()["restart"] != "service" {
		t.Errorf("restart is %q, in a ledger %v; want service", k.Restart, k.Features()["restart"])
	}
	if again := updateOf(k.patch("", now), now); again.Restart != "service" {
		t.Errorf("learnt from, restart is %q, want service", again.Restart)
	}
}

func TestOSAge(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		os   *inventory.OS
		want int // -1: not known
	}{
		{nil, -1},
		{&inventory.OS{ID: "debian", Version: "12"}, 996},
		{&inventory.OS{ID: "debian", Version: "12.5"}, 996},
		{&inventory.OS{ID: "debian", Version: "bookworm/sid"}, -1},
		{&inventory.OS{ID: "debian"}, -1},
		{&inventory.OS{ID: "rhel", Version: "9.4"}, 1384},
		{&inventory.OS{ID: "alpine", Version: "3.18.4"}, 1028},
		{&inventory.OS{ID: "sles", Version: "15.5"}, 986},
		{&inventory.OS{ID: "windows", Version: "10.0.20348.2322"}, 1657},
		{&inventory.OS{ID: "ubuntu", Version: "24.04"}, 676},
		{&inventory.OS{ID: "templeos", Version: "5"}, -1},
	} {
		got := -1
		if days := osAge(c.os, at); days != nil {
			got = *days
		}
		if got != c.want {
			t.Errorf("osAge(%+v) = %d, want %d", c.os, got, c.want)
		}
	}
	if osAge(&inventory.OS{ID: "debian", Version: "13"}, at.AddDate(-1, 0, 0)) != nil {
		t.Error("a release that was not out yet has an age")
	}
	for id, list := range released {
		for version, day := range list {
			if _, err := time.Parse(time.DateOnly, day); err != nil {
				t.Errorf("%s %s: %v", id, version, err)
			}
		}
	}
}

func FuzzRestartIn(f *testing.F) {
	f.Add("The system must be rebooted. No restart is required;")
	f.Fuzz(func(t *testing.T, text string) {
		got := restartIn(text)
		if got != restartIn(text+"\nnothing more") {
			t.Errorf("restartIn(%q) depends on an empty sentence", text)
		}
	})
}
