package templates

import (
	"strings"
	"testing"
)

// restoring is the part of the script for a reset that puts back what the ledger says.
func restoring(t *testing.T, s *standIns) string {
	t.Helper()
	return strings.ReplaceAll(resetPart(t, "restore"), "/proc/swaps", s.path("swaps"))
}

// What ran before runs again when its files are back, services anew. Swap that is on already, as by
// a reset that was cut off or by its unit, is not turned on again.
func TestResetStartsAgain(t *testing.T) {
	s := newStandIns(t, map[string]string{
		"systemctl": "", "tac": `sed -n '1!G;h;$p' "$1"`,
		"swapon": `! grep -q "^$1 " "$S/swaps" && echo "$1 partition" >>"$S/swaps"`,
	})
	config := s.path("config.toml")
	s.write("config.toml", "fairlead's\n")
	s.write("state/saved/cafe", "the user's\n")
	s.write("swaps", "Filename Type\n/dev/vdb1 partition\n/dev/vdc partition\n")
	s.write("state/ledger", framed(strings.Join([]string{
		"swap active /dev/vdb,/dev/vdc", "unit dev-vdc.swap enabled active", "unit containerd.service enabled active", "unit docker.service disabled inactive",
		"file " + config + " saved cafe " + sumsOf("the user's\n"), "unit kubelet.service not-found inactive", "",
	}, "\n")))
	transcript := s.ran(restoring(t, s))
	reload := strings.Index(transcript, "\nsystemctl daemon-reload\n")
	for _, want := range []string{"\nsystemctl restart containerd.service\n", "\nsystemctl start dev-vdc.swap\n", "\nswapon /dev/vdb\n"} {
		if at := strings.Index(transcript, want); at < reload {
			t.Errorf("no %q after the reload in\n%s", want, transcript)
		}
	}
	for _, unwanted := range []string{"swapon /dev/vdc", "start docker", "start kubelet"} {
		if strings.Contains(transcript, unwanted) {
			t.Errorf("%q in\n%s", unwanted, transcript)
		}
	}
	s.wantFile("config.toml", "the user's\n")
	if again := s.ran(restoring(t, s)); strings.Contains(again, "swapon") {
		t.Errorf("the second time it did\n%s", again)
	}
}
