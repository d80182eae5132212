package facts

import (
	"reflect"
	"slices"
	"testing"
)

func TestAskAsksOnce(t *testing.T) {
	got := Ask(
		Query{Paths: []string{"/a", "/b"}, Units: []string{"x.service"}},
		Query{Paths: []string{"/b", "/c", "/c"}, Sysctls: []string{"vm.panic_on_oom"}, Remains: true},
		Query{Texts: []string{"/a"}},
	)
	want := Query{
		Paths: []string{"/a", "/b", "/c"}, Units: []string{"x.service"}, Sysctls: []string{"vm.panic_on_oom"}, Texts: []string{"/a"}, Remains: true,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("asked %+v", got)
	}
	if got := Ask(); !reflect.DeepEqual(got, Query{}) {
		t.Errorf("nothing asks %+v", got)
	}
}

// Each part of a query becomes an argument of its own kind.
func TestArgumentsHoldEveryPart(t *testing.T) {
	var query Query
	of := reflect.ValueOf(&query).Elem()
	lists := 0
	for i := range of.NumField() {
		if of.Field(i).Kind() == reflect.Slice {
			of.Field(i).Set(reflect.ValueOf([]string{of.Type().Field(i).Name}))
			lists++
		}
	}
	query.Remains = true
	want := []string{
		"path:Paths", "path-like:PathPatterns", "text:Texts", "certificate:Certificates", "unit:Units", "sysctl:Sysctls", "module:Modules",
		"package:Packages", "candidate:Candidates", "program:Programs", "tool:Tools", "disk:Disks", "folder:Folders", "kubeconfig:Kubeconfigs", "login-key:LoginKeys", "reach:Reach", "readyz:Readyz", "remains:",
	}
	if got := query.Arguments(); !slices.Equal(got, want) || len(got) != lists+1 {
		t.Errorf("arguments %q", got)
	}
	if got := (Query{Sysctls: []string{"net.ipv4.ip_forward"}}).Arguments(); !slices.Equal(got, []string{"sysctl:net/ipv4/ip_forward"}) {
		t.Errorf("arguments %q", got)
	}
}

func TestIncludes(t *testing.T) {
	query := Query{Sysctls: []string{"a.b", "c"}, Units: []string{"*.swap"}}
	for _, c := range []struct {
		other Query
		want  bool
	}{
		{Query{}, true}, {Query{Sysctls: []string{"c"}}, true}, {Query{Sysctls: []string{"c", "a.b"}, Units: []string{"*.swap"}}, true},
		{Query{Sysctls: []string{"c", "d"}}, false}, {Query{Units: []string{"c"}}, false}, {Query{Units: []string{"x.swap"}}, false}, {Query{Remains: true}, false},
	} {
		if got := query.Includes(c.other); got != c.want {
			t.Errorf("%+v: %v", c.other, got)
		}
	}
	if query.Remains = true; !query.Includes(Query{Remains: true}) || !query.Includes(Query{}) {
		t.Error("what remains is asked for")
	}
}
