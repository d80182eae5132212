package bench

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fairlead/e2e/fleet"
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
			checkGolden(t, name, report.String())
			want := ""
			if name == "missed" {
				want = "up / script; up on prepared hosts / bare; peak memory, MiB"
			}
			if got := strings.Join(report.Missed(), "; "); got != want {
				t.Errorf("missed are %q, want %q", got, want)
			}
		})
	}
}

// checkGolden compares text with a file below testdata, or writes that with -update.
func checkGolden(t *testing.T, name, got string) {
	t.Helper()
	golden := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}

// fleetReport has figures of a thousand hosts and of three times as many.
func fleetReport(edit func(*FleetReport)) FleetReport {
	var r FleetReport
	for _, what := range []string{check, plan, limit} {
		of := 20
		if what == limit {
			of = 15
		}
		for _, hosts := range []int{largeFleet, hugeFleet} {
			took := time.Duration(of*hosts) * 100 * time.Microsecond
			r.Rows = append(r.Rows, FleetRow{Hosts: hosts, What: what, Wall: took, CPU: took, PeakBytes: int64(hosts) * mebibyte / 4})
		}
	}
	edit(&r)
	return r
}

func TestFleetReport(t *testing.T) {
	for name, c := range map[string]struct {
		edit   func(*FleetReport)
		missed string
	}{
		"fleet-met": {edit: func(*FleetReport) {}},
		"fleet-missed": {edit: func(r *FleetReport) {
			r.Rows[0].Wall *= 2                  // check of 1000
			r.Rows[2].PeakBytes = 301 * mebibyte // plan of 1000
			r.Rows[3].CPU *= 2                   // plan of 3000
		}, missed: "fairlead check: wall / bare ssh, 1000; fairlead plan: memory of 1000, MiB; fairlead plan: processor, 3000 / 1000"},
		"fleet-failed": {edit: func(r *FleetReport) { r.Rows[1].Failed = "exit status 1" },
			missed: "fairlead check: wall, 3000 / 1000; fairlead check: processor, 3000 / 1000; fairlead check: memory, 3000 / 1000"},
	} {
		t.Run(name, func(t *testing.T) {
			report := fleetReport(c.edit)
			checkGolden(t, name, report.String())
			if got := strings.Join(report.Missed(), "; "); got != c.missed {
				t.Errorf("missed are %q, want %q", got, c.missed)
			}
		})
	}
}

// TestMeasured: the figures are those of the program, also when it fails.
func TestMeasured(t *testing.T) {
	const work = "i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done; exit $1"
	for _, status := range []string{"0", "3"} {
		took, err := measured(exec.CommandContext(t.Context(), "sh", "-c", work, "sh", status))
		if took.cpu <= 0 || took.wall <= 0 || took.peak < mebibyte/4 {
			t.Errorf("exit status %s: it took %+v", status, took)
		}
		if failed := err != nil && strings.HasSuffix(err.Error(), "sh: exit status 3"); failed != (status == "3") {
			t.Errorf("exit status %s: %v", status, err)
		}
	}
	if _, err := measured(exec.CommandContext(t.Context(), "/nonexistent")); err == nil {
		t.Error("no error for a program that is not there")
	}
}

// What a program fails to say is as bad as a failure, and a program that failed is not run again.
func TestFleetPrograms(t *testing.T) {
	dir := t.TempDir()
	program := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\necho \"$*\" >>"+dir+"/calls\n"+text), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var log strings.Builder
	r := &fleetRun{files: fleet.Files(dir), FleetOptions: FleetOptions{
		Log:   &log,
		Fleet: program("fleet", "exit 0\n"),
		Fairlead: program("fairlead", `case $3 in
check) echo "2 hosts: 0 errors, 1 warning" >&2 ;;
plan) echo "a  looked at in 0.1s" >&2; echo "b  looked at in 0.1s" >&2 ;;
esac
`),
	}}
	rows, err := r.measure(t.Context(), 2)
	if err != nil || len(rows) != 3 {
		t.Fatalf("%v, %v", rows, err)
	}
	for i, want := range []FleetRow{
		{Hosts: 2, What: check, Failed: `it did not say "2 hosts: no problems" 1 times`}, {Hosts: 2, What: plan}, {Hosts: 2, What: limit},
	} {
		if got := rows[i]; got.Hosts != want.Hosts || got.What != want.What || got.Failed != want.Failed || got.Wall <= 0 {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	calls, err := os.ReadFile(filepath.Join(dir, "calls"))
	if err != nil || strings.Count(string(calls), " check\n") != 1 || strings.Count(string(calls), " plan\n") != 3 || strings.Count(string(calls), "-hosts 2 ") != 3 {
		t.Errorf("calls are, %v:\n%s", err, calls)
	}
	if !strings.Contains(log.String(), "2 hosts: 0 errors, 1 warning\n") {
		t.Errorf("the log does not hold what it said:\n%s", log.String())
	}
}

func TestMedian(t *testing.T) {
	runs := []usage{{peak: 9}, {peak: 1}, {peak: 5}}
	if got := median(runs, func(u usage) int64 { return u.peak }); got != 5 {
		t.Errorf("median is %d", got)
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
