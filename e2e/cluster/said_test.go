//go:build cluster

package cluster

import (
	"slices"
	"testing"
)

// TestSaid: what is said of a host is not what is said in passing.
func TestSaid(t *testing.T) {
	const text = `w1       looked at in 0.3s
w10      cannot be looked at
cp1, w1, w2  prepare the host  blocked: no
w1       error: Memory: 512 MiB is too little
    fix: more
cp1 (control-plane, 192.0.2.11)
  install containerd
    - it is missing
w1 (worker, 192.0.2.21)
  set kernel parameters
cluster: error: Bundle: it is of another version than w1's
`
	const failures = `error: w1: join as worker: exit 1
  | no space
error: cp1, w10: connect: refused
  hint: is w1 up
`
	for _, test := range []struct {
		name, line, stdout, stderr string
		want                       []string
	}{
		{"text", "fairlead up", text, failures, []string{
			"w1       looked at in 0.3s\n",
			"cp1, w1, w2  prepare the host  blocked: no\n",
			"w1       error: Memory: 512 MiB is too little\n    fix: more\n",
			"w1 (worker, 192.0.2.21)\n  set kernel parameters\n",
			"error: w1: join as worker: exit 1\n  | no space\n",
		}},
		{"nothing", "fairlead up", "w10: error: Disk: full\n", "error: cp1: w1: no\n", nil},
		{
			"events", "fairlead up --output json",
			`{"kind": "failed", "host": "w1", "title": "join", "error": "refused"}` + "\n" + `{"kind": "failed", "host": "cp1", "error": "w1"}` + "\n", "",
			[]string{"join\nrefused"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := outcome{t: t, line: test.line, stdout: test.stdout, stderr: test.stderr}
			if got := o.said("w1"); !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}
