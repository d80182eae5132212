package packages

import (
	"slices"
	"testing"
)

// TestConfig: what nfpm is told of the kinds of files.
func TestConfig(t *testing.T) {
	b := builder{recipe: recipe{Arch: "amd64"}, work: "/work", sets: map[string]string{"programs": "/set"}}
	got := b.config(pkg{Name: "one", Version: "1.2.3", Revision: "4", Offers: []string{"two"}, Unit: true, Files: []file{
		{Set: "programs", From: "a", To: "/usr/bin/a"},
		{Set: "programs", To: "/usr/bin/"},
		{From: "a.service", To: "/lib/a.service"},
		{From: "a.conf", To: "/etc/a.conf", Kept: true},
	}})
	want := []content{
		{"/set/a", "/usr/bin/a", ""},
		{"/set", "/usr/bin/", "tree"},
		{"/work/files/a.service", "/lib/a.service", ""},
		{"/work/files/a.conf", "/etc/a.conf", "config"},
	}
	if !slices.Equal(got.Contents, want) {
		t.Errorf("contents are %v, want %v", got.Contents, want)
	}
	if got.Version != "1.2.3" || got.Release != "4" || !slices.Equal(got.Provides, []string{"two"}) {
		t.Errorf("configuration is %+v", got)
	}
	if got.Scripts["postinstall"] != "/work/files/postinst" || len(got.Scripts) != 3 {
		t.Errorf("scripts are %v", got.Scripts)
	}
	if scripts := b.config(pkg{Name: "none"}).Scripts; scripts != nil {
		t.Errorf("scripts of a package without a unit are %v", scripts)
	}
}
