package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"fairlead/inventory"

	"github.com/urfave/cli/v2"
)

// build says what this program is.
type build struct {
	Version    string   `json:"version"`
	Commit     string   `json:"commit,omitempty"`
	Go         string   `json:"go"`
	Platform   string   `json:"platform"`
	Kubernetes []string `json:"kubernetes"` // the minors that can be installed
}

// readBuild reads what the Go tool wrote into the binary: the version is that of the
// module, which is the tag that was built.
func readBuild() build {
	b := build{Version: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" {
			b.Version = info.Main.Version
		}
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				b.Commit = setting.Value
			}
		}
	}
	for minor := inventory.OldestMinor; minor <= inventory.NewestMinor; minor++ {
		b.Kubernetes = append(b.Kubernetes, fmt.Sprintf("1.%d", minor))
	}
	return b
}

func (p *program) versionCommand() *cli.Command {
	return &cli.Command{
		Name:        "version",
		Usage:       "print the version, and the Kubernetes minors that can be installed",
		Description: "Example:\n  fairlead version --output json",
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			b := readBuild()
			if p.settings(c).json {
				return json.NewEncoder(p.stdout).Encode(b)
			}
			_, err := fmt.Fprintf(p.stdout, "fairlead %s\n%s %s\nkubernetes %s\n", b.Version, b.Go, b.Platform, strings.Join(b.Kubernetes, " "))
			return err
		},
	}
}
