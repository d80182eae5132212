package desired

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"fairlead/inventory"
)

func TestNumbers(t *testing.T) {
	for text, want := range map[string][]int{
		"1.37.2": {1, 37, 2}, "2": {2}, "2.2.0": {2, 2, 0}, "": nil, "x": nil, "1.x.2": {1}, "1..2": {1}, "2.3.0-rc.1": {2, 3}, "v2.0": nil,
	} {
		if got := Numbers(text); !slices.Equal(got, want) {
			t.Errorf("%q is %v, want %v", text, got, want)
		}
	}
}

func TestContainerdFits(t *testing.T) {
	for _, c := range []struct {
		minor     int
		fit, dont string
	}{
		{34, "1.6.39 1.6.40 1.7.28 1.7.30 2.0.6 2.0.9 2.1.3 2.1.4 2.2.0 2.3.1 3.0.0", "1.5.99 1.6.38 1.6.20 1.7.27 1.7.0 2.0.5 2.1.2 1.8.0"},
		{35, "1.7.28 1.7.29 2.1.5 2.1.6 2.2.0 2.3.0 3.0.0", "1.6.39 1.7.27 1.8.0 2.0.6 2.0.99 2.1.4"},
		{36, "2.2.0 2.2.1 2.3.0 2.3.7 2.4.0 3.0.0", "1.7.28 2.0.9 2.1.9 1.99.0"},
		{37, "2.2.0 2.2.1 2.3.0 2.3.7 2.4.0 3.0.0", "1.7.28 2.0.9 2.1.9 1.99.0"},
		{33, "", "1.7.28 2.2.0 9.9.9"},
		{38, "", "2.2.0 2.4.0"},
	} {
		kubernetes := fmt.Sprintf("1.%d.2", c.minor)
		for _, containerd := range strings.Fields(c.fit) {
			if !ContainerdFits(kubernetes, containerd) {
				t.Errorf("containerd %s does not fit Kubernetes %s", containerd, kubernetes)
			}
		}
		for _, containerd := range append(strings.Fields(c.dont), "", "2", "garbage", "v2.2.0", "2.x.0") {
			if ContainerdFits(kubernetes, containerd) {
				t.Errorf("containerd %s fits Kubernetes %s", containerd, kubernetes)
			}
		}
	}
	for _, kubernetes := range []string{"", "1", "x"} {
		if ContainerdFits(kubernetes, "2.2.0") {
			t.Errorf("containerd fits Kubernetes %q", kubernetes)
		}
	}
}

// Every minor that the inventory takes has a row of containerd and one of the pause image, and
// the rows of a minor are in order.
func TestTablesAreComplete(t *testing.T) {
	for minor := inventory.OldestMinor; minor <= inventory.NewestMinor; minor++ {
		rows := containerdVersions()[minor]
		if len(rows) == 0 || pauseVersions()[minor] == "" {
			t.Errorf("1.%d has containerd %v and pause %q", minor, rows, pauseVersions()[minor])
		}
		if !slices.IsSortedFunc(rows, func(a, b string) int { return slices.Compare(Numbers(a), Numbers(b)) }) {
			t.Errorf("1.%d: %v are not in order", minor, rows)
		}
		wanted := ContainerdWanted(fmt.Sprintf("1.%d.0", minor))
		for _, row := range rows {
			if len(Numbers(row)) != 3 || !strings.Contains(wanted, row) {
				t.Errorf("1.%d: %s does not stand in %q", minor, row, wanted)
			}
		}
	}
}
