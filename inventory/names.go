package inventory

import "strconv"

// NameHosts gives those hosts names that have none, or one that is no name of a host or another's: by their roles cp1, w1, w2.
func NameHosts(hosts []Host) {
	taken := map[string]int{}
	for _, h := range hosts {
		taken[h.Name]++
	}
	next := map[string]int{}
	free := func(stem string) string {
		for {
			next[stem]++
			if name := stem + strconv.Itoa(next[stem]); taken[name] == 0 {
				return name
			}
		}
	}
	for i, h := range hosts {
		switch {
		case isNodeName(h.Name) && taken[h.Name] == 1:
		case h.Role == RoleControlPlane:
			hosts[i].Name = free("cp")
		default:
			hosts[i].Name = free("w")
		}
	}
}
