package packages

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// TestAsked: connections interleave, and their numbers are used again.
func TestAsked(t *testing.T) {
	log := `Initializing tinyproxy ...
Connect (file descriptor 6): 10.89.7.21
Connect (file descriptor 7): 10.89.7.22
Request (file descriptor 7): CONNECT 10.89.7.31:443 HTTP/1.1
Request (file descriptor 6): GET http://10.89.7.31/other.asc HTTP/1.1
Connect (file descriptor 6): 10.89.7.23
Established connection to host "10.89.7.31" using file descriptor 7.
Request (file descriptor 6): CONNECT 10.89.7.31:22 HTTP/1.0
Refused CONNECT method on port 22
`
	want := []string{
		"10.89.7.22 CONNECT 10.89.7.31:443",
		"10.89.7.21 GET http://10.89.7.31/other.asc",
		"10.89.7.23 CONNECT 10.89.7.31:22",
	}
	if got := asked(log); !slices.Equal(got, want) {
		t.Errorf("requests are %q, want %q", got, want)
	}
	if got := asked(""); got != nil {
		t.Errorf("requests of an empty log are %q", got)
	}
}

func TestTinyproxy(t *testing.T) {
	text, err := tinyproxy(netip.MustParseAddr("10.89.7.32"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"Port 8888\n", "Allow 10.89.7.0/24\n", "ConnectPort 443\n", "ConnectPort 5000\n"} {
		if !strings.Contains(text, line) {
			t.Errorf("configuration lacks %q:\n%s", line, text)
		}
	}
}
