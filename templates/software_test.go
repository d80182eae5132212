package templates

import (
	"testing"
)

func TestUpstreamVersion(t *testing.T) {
	for is, want := range map[string]string{
		"1.37.2-1.1":                      "1.37.2",
		"1.37.2":                          "1.37.2",
		"2.2.1-1~debian.12~bookworm":      "2.2.1",
		"1.6.20~ds1-1+deb12u1":            "1.6.20",
		"1.7.28-0ubuntu1~22.04.1":         "1.7.28",
		"5:29.1.3-1~debian.12~bookworm":   "29.1.3",
		"26.1.5+dfsg1-9+b11":              "26.1.5",
		"2.2.0~rc.1-1":                    "2.2.0",
		"2.2.0.":                          "2.2.0",
		"2.":                              "2",
		"":                                "",
		"unknown":                         "",
		"1:":                              "",
		"v1.2":                            "",
		"1.37.2-150500.1.1":               "1.37.2",
		"2.1.4+unknown-0ubuntu20~24.04.1": "2.1.4",
	} {
		if got := UpstreamVersion(is); got != want {
			t.Errorf("%q is %q, want %q", is, got, want)
		}
	}
}
