package host

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// What a host keeps of a step.
func TestRequest(t *testing.T) {
	w := Work{Step: fleet.Step{Key: "k", Host: "web-1", Reboot: "if-needed", Packages: []fleet.Package{{Type: "rpm", Name: "a", From: "2", To: "1"}}}, Op: "rollback", Moves: []Move{{"a", "2", "1"}},
		Weighed: Weighed{Undoes: "apply-1", Along: []Move{{"lib", "2", "1"}, {"new", "1", "-"}}}}
	for _, tc := range []struct {
		name   string
		policy Policy
		want   string
	}{
		{"a rollback", Policy{}, `op rollback|key k|host web-1|type rpm|reboot if-needed|conffiles keep|hold yes|undoes apply-1|move a 2 1|with lib 2 1|with new 1 -`},
		{"by a policy", Policy{NoRestart: true, NewConffiles: true, NoHold: true, Hooks: []Hook{{Name: "drain", Command: []string{"lb", "web 1"}, Timeout: 90 * time.Second}, {Name: "undrain", Tasks: "lb.yml", Timeout: time.Minute}}, Running: map[string]Running{"lib": {[]string{"x", "it's"}, []string{"y"}}, "other": {Command: []string{"z"}}}},
			`op rollback|key k|host web-1|type rpm|reboot never|conffiles new|hold no|hook drain 90 'lb' 'web 1'|hook undrain 60|undoes apply-1|move a 2 1|with lib 2 1|with new 1 -|running lib 'x' 'it'\''s'|again lib 'y'`},
	} {
		got := strings.NewReplacer("\n", "|", "\t", " ").Replace(tc.policy.request(w))
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: request() (-want +got):\n%s", tc.name, diff)
		}
	}
}

// Which steps a fleet takes, by what its packages are.
func TestAdmit(t *testing.T) {
	ssh := New("ssh", Managed, nil, Options{})
	ansible := New("ansible", append(slices.Clone(Managed), version.Windows), nil, Options{})
	for _, tc := range []struct {
		fleet          *Carrier
		t              version.Type
		name, from, to string
		why            string // "" where it is taken
	}{
		{ssh, "deb", "libssl3", "3.0.11-1~deb12u1", "1:3.0.13-1", ""},
		{ssh, "rpm", "libstdc++", "1:2.3-4.el9_2", "1:2.3-4.module+el9.2.0+1^git", ""},
		{ssh, "rpm", "nodejs", "", "0:18.1-1", ""},
		{ssh, "rpm", "nodejs", "18.1-1", "x:18.2-1", "is not a version of the type rpm"},
		{ssh, "rpm", "nodejs", "18.1-1", "18.2 -1", "is not a version of the type rpm"},
		{ssh, "rpm", "-e", "1-1", "2-1", `"-e" is not the name of a package`},
		{ssh, "apk", "openssl", "1.2.3-r0", "1.2.3_p1-r0", ""},
		{ssh, "apk", "openssl", "1.2.3-r0", "1:1.2.4-r0", "is not a version of the type apk"},
		{ssh, "windows", "KB5034441", "", "10.0.20348.2227", "updates of Windows are installed by the fleet ansible"},
		{ansible, "windows", "KB5034441", "", "10.0.20348.2227", ""},
		{ansible, "windows", "KB50/34441", "", "10.0.20348.2227", "is not the name of a package"},
		{ansible, "windows", "openssl", "", "1.1", `"openssl" is not the number of an update of Windows, as KB5034441 is`},
		{ansible, "generic", "heron", "1.0.0", "1.0.1", `moves packages of the types ["deb" "rpm" "apk" "windows"], not "generic"`},
	} {
		err := tc.fleet.admit(fleet.Step{Key: "k", Host: "h", Packages: []fleet.Package{{Type: tc.t, Name: tc.name, From: tc.from, To: tc.to}}})
		e := (*fleet.Error)(nil)
		if errors.As(err, &e) != (tc.why != "") || tc.why != "" && (e.Code != "invalid" || !strings.Contains(e.Message, tc.why)) {
			t.Errorf("a step of %s %s from %q to %q is answered %v, want %q", tc.t, tc.name, tc.from, tc.to, err, tc.why)
		}
	}
}
