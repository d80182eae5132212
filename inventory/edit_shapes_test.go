package inventory

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestEditGolden adds a host to each list of each file of testdata/edit and removes each of
// its hosts. The golden files hold the lines that changed. Whatever they hold, what an edit
// must never do is asked here again, from the clusters before and after it.
func TestEditGolden(t *testing.T) {
	for _, file := range files(t, "testdata/edit/*.yaml") {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			data := readFile(t, file)
			before, _, err := Parse("", data)
			var text strings.Builder
			report := func(title string, out []byte, err error) {
				if err != nil {
					fmt.Fprintf(&text, "== %s\n%v\n", title, err)
				} else {
					fmt.Fprintf(&text, "== %s\n%s", title, changes(string(data), string(out)))
				}
			}
			var hosts []Host
			if err == nil { // else edits must say what is wrong
				hosts = before.Hosts()
			}
			for _, h := range []Host{worker("w9", "192.0.2.9"), {Name: "cp9", Address: worker("", "192.0.2.99").Address, Role: RoleControlPlane}} {
				out, err := AddHost(data, h.Role, h)
				report("add "+h.Name, out, err)
				if err == nil {
					added(t, before, h, data, out)
				} else if out != nil {
					t.Errorf("add %s: a file beside the error %v", h.Name, err)
				}
			}
			for _, h := range hosts {
				out, err := RemoveHost(data, h.Name)
				report("remove "+h.Name, out, err)
				if err == nil {
					removed(t, before, h, out)
				} else if out != nil {
					t.Errorf("remove %s: a file beside the error %v", h.Name, err)
				}
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".golden", text.String())
		})
	}
}

// added checks that a host is there, and that nothing else is another than it was.
func added(t *testing.T, before *Cluster, h Host, data, out []byte) {
	t.Helper()
	after, _, err := Parse("", out)
	if err != nil {
		t.Fatalf("add %s: %v\n%s", h.Name, err, out)
	}
	h.SSH = SSH{Transport: TransportSSH, User: "me"}
	want := *before
	if h.Role == RoleControlPlane {
		want.ControlPlane.Hosts = append(slices.Clone(want.ControlPlane.Hosts), h)
	} else {
		want.Workers = append(slices.Clone(want.Workers), h)
	}
	if !reflect.DeepEqual(after, &want) {
		t.Errorf("add %s: got %+v, want %+v", h.Name, after, &want)
	}
	back, err := RemoveHost(out, h.Name)
	if err != nil {
		t.Errorf("remove %s again: %v\n%s", h.Name, err, out)
		return
	}
	if lost := linesLost(string(data), string(back)); lost > 1 {
		t.Errorf("%d lines are lost:\n%s", lost, back)
	}
}

// removed checks that a host is gone, and that nothing else is another than it was.
func removed(t *testing.T, before *Cluster, h Host, out []byte) {
	t.Helper()
	after, _, err := Parse("", out)
	if err != nil {
		t.Fatalf("remove %s: %v\n%s", h.Name, err, out)
	}
	is := func(o Host) bool { return o.Name == h.Name }
	want := slices.DeleteFunc(before.Hosts(), is)
	if got := after.Hosts(); !reflect.DeepEqual(got, want) {
		t.Errorf("remove %s: got %+v, want %+v", h.Name, got, want)
	}
}

// changes lists the lines that are in one text only, in the order of both: those of before
// with a minus, those of after with a plus and their number.
func changes(before, after string) string {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	// rest[i][j] is the length of the longest common subsequence of a[i:] and b[j:].
	rest := make([][]int, len(a)+1)
	for i := range rest {
		rest[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			rest[i][j] = max(rest[i+1][j], rest[i][j+1])
			if a[i] == b[j] {
				rest[i][j] = 1 + rest[i+1][j+1]
			}
		}
	}
	var text strings.Builder
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && rest[i+1][j] >= rest[i][j+1]:
			fmt.Fprintf(&text, "-%d %s\n", i+1, a[i])
			i++
		default:
			fmt.Fprintf(&text, "+%d %s\n", j+1, b[j])
			j++
		}
	}
	return text.String()
}

// TestEditNeverHarms has files in which the obvious edit would give a file that is right and
// means something else: the new host would be text of another one, or another host would
// change. The error says so, and what to write where.
func TestEditNeverHarms(t *testing.T) {
	for _, c := range []struct{ file, edit, want string }{
		{"open-quote-left", "add w9", "add host w9: the file's hosts are written in a way that cannot be edited in place; add {name: w9, address: 192.0.2.9} to workers.hosts by hand"},
		{"open-quote-address", "add w9", "add host w9: the file's hosts are written in a way that cannot be edited in place; add {name: w9, address: 192.0.2.9} to workers.hosts by hand"},
		{"redefined-anchor", "remove w1", "remove host w1: the file's hosts are written in a way that cannot be edited in place; remove it from workers.hosts by hand"},
	} {
		data := readFile(t, "testdata/edit/"+c.file+".yaml")
		var err error
		if name, add := strings.CutPrefix(c.edit, "add "); add {
			_, err = AddHost(data, RoleWorker, worker(name, "192.0.2.9"))
		} else {
			_, err = RemoveHost(data, strings.TrimPrefix(c.edit, "remove "))
		}
		if !errors.Is(err, ErrShape) || err.Error() != c.want {
			t.Errorf("%s, %s: %v", c.file, c.edit, err)
		}
	}
}
