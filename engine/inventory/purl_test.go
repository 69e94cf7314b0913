package inventory

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/version"
)

func TestPURL(t *testing.T) {
	for _, c := range []struct {
		purl string
		want Package
	}{
		{"pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64&upstream=glibc&distro=debian-12", Package{Type: version.Deb, Name: "libc6", Version: "2.36-9+deb12u4", Arch: "amd64", Source: "glibc"}},
		{"pkg:rpm/amazon/bind-export-libs@9.11.4-26.P2.amzn2.5.2?arch=x86_64&distro=amazon-2%20%28Karoo%29&epoch=32", Package{Type: version.RPM, Name: "bind-export-libs", Version: "32:9.11.4-26.P2.amzn2.5.2", Arch: "x86_64"}},
		{"pkg:rpm/redhat/openssl-libs@3.0.7-18.el9_2?epoch=1&upstream=openssl-3.0.7-18.el9_2.src.rpm", Package{Type: version.RPM, Name: "openssl-libs", Version: "1:3.0.7-18.el9_2", Source: "openssl"}},
		{"pkg:rpm/redhat/nodejs@18.0-1?rpmmod=nodejs:18:8090:abc", Package{Type: version.RPM, Name: "nodejs", Version: "18.0-1", Module: "nodejs:18"}},
		{"pkg:npm/%40babel/core@7.1.0", Package{Type: version.Generic, Name: "@babel/core", Version: "7.1.0"}},
		{"pkg:maven/org.apache.tomcat/tomcat-catalina@9.0.109", Package{Type: version.Generic, Name: "org.apache.tomcat:tomcat-catalina", Version: "9.0.109"}},
		{"pkg:golang/github.com/google/go-cmp@v0.7.0#cmp", Package{Type: version.Generic, Name: "github.com/google/go-cmp", Version: "v0.7.0"}},
		{"pkg:apk/alpine/musl@1.1.20-r4?arch=x86_64&distro=3.9.4", Package{Type: version.APK, Name: "musl", Version: "1.1.20-r4", Arch: "x86_64"}},
	} {
		p, ok := ParsePURL(c.purl)
		got, is := p.Package()
		if d := cmp.Diff(c.want, got); !ok || !is || d != "" {
			t.Errorf("%s: %v %v %s", c.purl, ok, is, d)
		}
	}
	for _, s := range []string{"", "pkg:", "pkg:rpm", "npm/x@1", "pkg:npm/", "pkg:/x"} {
		if p, ok := ParsePURL(s); ok {
			t.Errorf("ParsePURL(%q) = %+v, want none", s, p)
		}
	}
	for _, s := range []string{"pkg:rpm/redhat/openssl@3.0.7?arch=src", "pkg:oci/ubi@sha256%3Aabc"} {
		p, _ := ParsePURL(s)
		if got, is := p.Package(); is {
			t.Errorf("%s: %+v is no installed package", s, got)
		}
	}
}
