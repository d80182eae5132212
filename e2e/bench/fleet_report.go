package bench

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// The goals for fleets. Memory is fairlead's, all else is a multiple: of what the limit takes
// for the same hosts, or of what a third of the hosts take.
const (
	largeFleet = 1000
	hugeFleet  = 3000

	goalFleetWall   = 1.5
	goalFleetCPU    = 2
	goalFleetMiB    = 300
	goalFleetGrowth = 3.3 // three times the hosts
)

// FleetReport holds what was measured on a fleet.
type FleetReport struct {
	Rows []FleetRow
}

// FleetRow is what one program took for one number of hosts: the middle of several runs.
type FleetRow struct {
	Hosts     int
	What      string
	Wall, CPU time.Duration
	PeakBytes int64
	Failed    string // why there is no figure that counts
}

// figure is one column of a row.
type figure struct {
	name string
	of   func(FleetRow) float64
}

func wall() figure   { return figure{"wall", func(r FleetRow) float64 { return r.Wall.Seconds() }} }
func cpu() figure    { return figure{"processor", func(r FleetRow) float64 { return r.CPU.Seconds() }} }
func memory() figure { return figure{"memory", func(r FleetRow) float64 { return mib(r.PeakBytes) }} }

// value is a program's figure for a number of hosts; not a number if there is none.
func (r FleetReport) value(what string, hosts int, f figure) float64 {
	i := slices.IndexFunc(r.Rows, func(row FleetRow) bool { return row.What == what && row.Hosts == hosts })
	if i < 0 || r.Rows[i].Failed != "" {
		return math.NaN()
	}
	return f.of(r.Rows[i])
}

// goals compares the figures of each of fairlead's programs with the limit, and with each other.
func (r FleetReport) goals() []goal {
	var goals []goal
	for _, what := range []string{check, plan} {
		for _, c := range []struct {
			of     figure
			atMost float64
		}{{wall(), goalFleetWall}, {cpu(), goalFleetCPU}} {
			goals = append(goals, goal{
				what:   fmt.Sprintf("%s: %s / %s, %d", what, c.of.name, limit, largeFleet),
				is:     r.value(what, largeFleet, c.of) / r.value(limit, largeFleet, c.of),
				atMost: c.atMost, format: twoDigits,
			})
		}
		goals = append(goals, goal{
			what: fmt.Sprintf("%s: memory of %d, MiB", what, largeFleet),
			is:   r.value(what, largeFleet, memory()), atMost: goalFleetMiB, format: oneDigit,
		})
		for _, f := range []figure{wall(), cpu(), memory()} {
			goals = append(goals, goal{
				what:   fmt.Sprintf("%s: %s, %d / %d", what, f.name, hugeFleet, largeFleet),
				is:     r.value(what, hugeFleet, f) / r.value(what, largeFleet, f),
				atMost: goalFleetGrowth, format: twoDigits,
			})
		}
	}
	return goals
}

// Missed names the goals that were not met.
func (r FleetReport) Missed() []string { return missed(r.goals()) }

// String returns the report's table for people.
func (r FleetReport) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "SSH hosts without a cluster, median of %d runs\n\n", fleetRuns)
	fmt.Fprintf(&text, "%-6s %-16s %10s %12s %12s\n", "hosts", "program", "wall", "processor", "peak memory")
	for _, row := range r.Rows {
		fmt.Fprintf(&text, "%-6d %-16s %8.2f s %10.2f s %8.1f MiB", row.Hosts, row.What, row.Wall.Seconds(), row.CPU.Seconds(), mib(row.PeakBytes))
		if row.Failed != "" {
			fmt.Fprintf(&text, "   failed: %s", row.Failed)
		}
		text.WriteString("\n")
	}
	text.WriteString("\n" + table(r.goals()))
	return text.String()
}
