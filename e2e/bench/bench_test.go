package bench

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestReport(t *testing.T) {
	good := Report{
		BundleBytes: 400 * mebibyte, Up: 60 * time.Second, PeakBytes: 40 * mebibyte, Script: 100 * time.Second,
		Init: 9700 * time.Millisecond, Joins: []time.Duration{2300 * time.Millisecond, 2 * time.Second},
		PreparedSteps: 9, UpPrepared: 18 * time.Second, PreparedPeakBytes: 30 * mebibyte,
	}
	bad := good
	bad.Up, bad.UpPrepared, bad.PreparedPeakBytes = 71*time.Second, 19*time.Second, 97*mebibyte
	for name, report := range map[string]Report{"met": good, "missed": bad} {
		t.Run(name, func(t *testing.T) {
			golden := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(report.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got := report.String(); got != string(want) {
				t.Errorf("got:\n%swant:\n%s", got, want)
			}
		})
	}
}

func TestCountPlanned(t *testing.T) {
	var log strings.Builder
	n, err := countPlanned(strings.NewReader(
		`{"kind":"observed","host":"cp1"}{"kind":"planned","host":"cp1","title":"init"}
		{"kind":"planned","title":"network"}{"kind":"finished"}`), &log)
	if n != 2 || err != nil || log.String() != "planned: cp1 init\nplanned:  network\n" {
		t.Errorf("got %d, %v, log %q", n, err, log.String())
	}
	if _, err := countPlanned(strings.NewReader(`{"kind":"planned"}oops`), &log); err == nil {
		t.Error("no error for what is no event")
	}
}

func TestKubeadmConfigIsFilled(t *testing.T) {
	text := fillKubeadm("192.0.2.11")
	if strings.Contains(text, "@") || !strings.Contains(text, "advertiseAddress: 192.0.2.11\n") {
		t.Errorf("got:\n%s", text)
	}
}

// TestScript runs the script's own words with an ssh that fails: it must end at once.
func TestScriptEndsAtTheFirstFailure(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"ssh", "scp"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\necho \"$0\" >>"+dir+"/calls\nexit 255\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("bash", "-c", plainScript, "plain.sh", "192.0.2.11", "192.0.2.21")
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"),
		"BUNDLE=b", "FLANNEL=f", "KUBEADM=k", "KEY=i", "KNOWN_HOSTS=h", "LOGIN=l")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Errorf("the script ended well:\n%s", out)
	}
	calls, err := os.ReadFile(filepath.Join(dir, "calls"))
	if err != nil || strings.Count(string(calls), "\n") != 1 {
		t.Errorf("calls after a failure:\n%s%v", calls, err)
	}
}
