package bench

import (
	"fmt"
	"strings"
	"time"
)

// The goals.
const (
	goalScript = 0.7 // up on clean hosts, as a share of the script's time
	goalBare   = 1.5 // up on prepared hosts, as a multiple of kubeadm init and one join
	goalMiB    = 96  // peak memory of fairlead
)

const mebibyte = 1 << 20

// Report holds what was measured in one run.
type Report struct {
	BundleBytes       int64
	Up                time.Duration   // fairlead up on clean hosts
	PeakBytes         int64           // its peak memory
	Script            time.Duration   // the plain script on clean hosts
	Init              time.Duration   // kubeadm init on a prepared host, alone
	Joins             []time.Duration // kubeadm join of each worker, one after another
	PreparedSteps     int             // steps that fairlead plans on prepared hosts
	UpPrepared        time.Duration   // fairlead up on prepared hosts
	PreparedPeakBytes int64           // its peak memory
}

// bare returns kubeadm's own time: of init and the first join, and of init and all joins.
func (r Report) bare() (first, all time.Duration) {
	first, all = r.Init, r.Init
	for i, join := range r.Joins {
		if i == 0 {
			first += join
		}
		all += join
	}
	return first, all
}

// String returns the report's table, seconds and ratios, for people.
func (r Report) String() string {
	var text strings.Builder
	line := func(format string, args ...any) {
		text.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
	}
	first, all := r.bare()
	joins := make([]string, 0, len(r.Joins))
	for _, join := range r.Joins {
		joins = append(joins, fmt.Sprintf("%.1f", join.Seconds()))
	}
	line("1 control plane and 2 workers, bundle of %d MiB", r.BundleBytes/mebibyte)
	line("")
	for _, row := range []struct {
		what  string
		spent time.Duration
		note  string
	}{
		{"fairlead up, clean hosts", r.Up, fmt.Sprintf("peak memory %.1f MiB", mib(r.PeakBytes))},
		{"plain script, clean hosts", r.Script, ""},
		{"fairlead up, prepared hosts", r.UpPrepared, fmt.Sprintf("%d steps, peak memory %.1f MiB", r.PreparedSteps, mib(r.PreparedPeakBytes))},
		{"bare kubeadm init + join", first, fmt.Sprintf("init %.1f, joins %s", r.Init.Seconds(), strings.Join(joins, " "))},
		{"bare kubeadm init + all joins", all, ""},
	} {
		line("%-32s %7.1f s   %s", row.what, row.spent.Seconds(), row.note)
	}
	return text.String() + "\n" + table(r.goals())
}

// goals compares the figures with each other.
func (r Report) goals() []goal {
	first, all := r.bare()
	return []goal{
		{"up / script", ratio(r.Up, r.Script), goalScript, twoDigits},
		{"up on prepared hosts / bare", ratio(r.UpPrepared, first), goalBare, twoDigits},
		{"  the same with all joins", ratio(r.UpPrepared, all), 0, twoDigits},
		{"peak memory, MiB", mib(max(r.PeakBytes, r.PreparedPeakBytes)), goalMiB, oneDigit},
	}
}

// Missed names the goals that were not met.
func (r Report) Missed() []string { return missed(r.goals()) }

func mib(bytes int64) float64 { return float64(bytes) / mebibyte }

func ratio(a, b time.Duration) float64 { return a.Seconds() / b.Seconds() }
