package observe

import (
	"strings"
	"testing"
	"time"

	"fairlead/provision/facts"
	"fairlead/templates"
)

// What the probe says of packages, proxies and sockets.
func TestParseProbeOfPackages(t *testing.T) {
	now := time.Unix(1000, 0)
	seen, err := parseProbe([]byte(strings.Join([]string{
		"os\tlinuxmint\t22\tubuntu debian\tLinux Mint 22\tnoble", "package\tkubelet\t1.37.2-1.1\theld", "package\tcontainerd.io\t2.2.1-1~ubuntu.24.04~noble\t-",
		"candidate\tcontainerd\t1.7.28-0ubuntu1~24.04.1", "environment\thttps_proxy\thttp://u:p@proxy.lab:3128", "environment\tNO_PROXY\ta,b",
		"socket\t/run/crio/crio.sock", "version\tcontainerd\t/usr/bin/containerd\t2.2.1", "end", "",
	}, "\n")), now, now)
	if err != nil {
		t.Fatal(err)
	}
	if seen.OS.Codename != "noble" || seen.Packages["kubelet"] != (facts.Package{Version: "1.37.2", Held: true}) || seen.Packages["containerd.io"] != (facts.Package{Version: "2.2.1"}) {
		t.Errorf("facts are %+v, %+v", seen.OS, seen.Packages)
	}
	if seen.Candidates["containerd"] != "1.7.28" || !seen.Sockets["/run/crio/crio.sock"] || seen.ContainerdPackage() != templates.PackageContainerdIO {
		t.Errorf("facts are %+v, %+v", seen.Candidates, seen.Sockets)
	}
	if seen.Environment["HTTPS_PROXY"] != "http://u:p@proxy.lab:3128" || seen.Environment["NO_PROXY"] != "a,b" || len(seen.Environment) != 2 {
		t.Errorf("the environment is %v", seen.Environment)
	}
}
