package desired

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// containerdVersions are the releases of containerd that its makers have tried with a minor of
// Kubernetes: in each series from this patch on, and every series after the newest one
// (containerd's RELEASES.md, "Kubernetes Support", August 2026). There is no row for 1.37 yet:
// it is as 1.36, of whose runtime interface the kubelet of 1.37 wants nothing more.
func containerdVersions() map[int][]string {
	return map[int][]string{
		34: {"1.6.39", "1.7.28", "2.0.6", "2.1.3"},
		35: {"1.7.28", "2.1.5", "2.2.0"},
		36: {"2.2.0", "2.3.0"},
		37: {"2.2.0", "2.3.0"},
	}
}

// ContainerdFits says that a release of containerd goes with the minor of a Kubernetes version.
func ContainerdFits(kubernetes, containerd string) bool {
	rows := containerdVersions()[MinorOf(kubernetes)]
	is := Numbers(containerd)
	if len(rows) == 0 || len(is) < 2 {
		return false
	}
	for _, row := range rows {
		if from := Numbers(row); slices.Equal(is[:2], from[:2]) {
			return slices.Compare(is, from) >= 0
		}
	}
	newest := Numbers(rows[len(rows)-1])
	return slices.Compare(is[:2], newest[:2]) > 0
}

// ContainerdWanted says in words what fits.
func ContainerdWanted(kubernetes string) string {
	rows := containerdVersions()[MinorOf(kubernetes)]
	return fmt.Sprintf("Kubernetes 1.%d wants containerd %s or newer of that series, or a later one", MinorOf(kubernetes), strings.Join(rows, ", "))
}

// MinorOf is the minor of a version of Kubernetes: 37 of 1.37.2; 0 when there is none.
func MinorOf(kubernetes string) int {
	if n := Numbers(kubernetes); len(n) > 1 {
		return n[1]
	}
	return 0
}

// Numbers are the parts of a version, up to the first that is no number.
func Numbers(version string) []int {
	var parts []int
	for part := range strings.SplitSeq(version, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			break
		}
		parts = append(parts, n)
	}
	return parts
}
