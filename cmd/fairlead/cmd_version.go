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

// version is set by the linker (-X main.version=…); empty, the Go tool's record counts.
var version string

// build says what this program is.
type build struct {
	Version    string   `json:"version"`
	Commit     string   `json:"commit,omitempty"`
	Go         string   `json:"go"`
	Platform   string   `json:"platform"`
	Kubernetes []string `json:"kubernetes"` // the minors that can be installed
}

// readBuild says what the linker was told, and else what the Go tool wrote into the
// binary, where the version is that of the module.
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
	if version != "" {
		b.Version = version
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
