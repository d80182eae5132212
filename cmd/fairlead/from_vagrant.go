package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"fairlead/inventory/convert"
)

// fromVagrant stands before the colon of vagrant:FOLDER, and is the program's name.
const fromVagrant = "vagrant"

// vagrantPatience is how long one command of Vagrant may take. It starts Ruby, all plugins and the provider's client each time.
const vagrantPatience = 2 * time.Minute

// vagrantDraft makes a draft of the machines that Vagrant runs for a folder, the current one for "".
func vagrantDraft(ctx context.Context, _ *program, folder string, o fromOptions) (*convert.Draft, error) {
	if o.context != "" {
		return nil, &usageError{err: fmt.Errorf("--%s: Vagrant has no contexts", flagContext)}
	}
	source := "the machines of Vagrant"
	if folder != "" {
		if info, err := os.Stat(folder); err != nil || !info.IsDir() {
			return nil, &usageError{err: fmt.Errorf("--%s %s:%s: there is no folder of this name", flagFrom, fromVagrant, folder)}
		}
		source += " in " + folder
	}
	v := vagrant{folder: folder, patience: vagrantPatience}
	states, err := v.states(ctx)
	if err != nil {
		return nil, err
	}
	machines := make([]convert.VagrantMachine, len(states))
	for i, s := range states {
		if machines[i], err = v.machine(ctx, s); err != nil {
			return nil, err
		}
	}
	draft, err := convert.Vagrant(source, machines, o.Options)
	if err != nil {
		return nil, asUsage(err)
	}
	return draft, nil
}

// vagrantState is a machine of a Vagrantfile: its state as the provider calls it, and in Vagrant's words for people.
type vagrantState struct{ name, state, words string }

// States of machines in Vagrant's own words: what all providers call a machine that was never made, and most one that runs.
const (
	vagrantRunning = "running"
	vagrantNotMade = "not_created"
)

// states asks which machines there are.
func (v vagrant) states(ctx context.Context) ([]vagrantState, error) {
	text, err := v.ask(ctx, "status", "--machine-readable")
	var failed *vagrantFailure
	if errors.As(err, &failed) {
		return nil, v.explain(failed, text)
	}
	if err != nil {
		return nil, err
	}
	var all []vagrantState
	at := map[string]int{}
	for line := range strings.Lines(text) {
		target, kind, data := machineLine(line)
		if target == "" || kind != "state" && kind != "state-human-short" {
			continue
		}
		if !regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`).MatchString(target) {
			return nil, fmt.Errorf("ask vagrant: %q is not a name that a machine can be asked by", target)
		}
		i, known := at[target]
		if !known {
			i = len(all)
			at[target] = i
			all = append(all, vagrantState{name: target})
		}
		if kind == "state" {
			all[i].state = data
		} else {
			all[i].words = data
		}
	}
	if len(all) == 0 {
		return nil, errors.New("ask vagrant: vagrant status names no machine")
	}
	return all, nil
}

// machineLine splits a line of Vagrant's output for machines: TIME,TARGET,KIND,DATA.
func machineLine(line string) (target, kind, data string) {
	words := strings.SplitN(strings.TrimRight(line, "\r\n"), ",", 4)
	if len(words) != 4 {
		return "", "", ""
	}
	return words[1], words[2], strings.NewReplacer("%!(VAGRANT_COMMA)", ",", `\n`, " ", `\r`, " ").Replace(words[3])
}

// explain says why there is no status. With --machine-readable Vagrant writes its errors with their classes to the standard output.
func (v vagrant) explain(failed *vagrantFailure, text string) error {
	for line := range strings.Lines(text) {
		if _, kind, data := machineLine(line); kind == "error-exit" {
			class, message, _ := strings.Cut(data, ",")
			if strings.HasSuffix(class, "NoEnvironmentError") {
				return &usageError{err: fmt.Errorf("ask vagrant: there is no Vagrantfile in %s or above it; name its folder with --%s %s:FOLDER",
					cmp.Or(v.folder, "this folder"), flagFrom, fromVagrant)}
			}
			failed.said = message
		}
	}
	return failed
}

// machine asks for one machine. One of which Vagrant knows no way in, and does not say that it runs, is away.
func (v vagrant) machine(ctx context.Context, s vagrantState) (convert.VagrantMachine, error) {
	m := convert.VagrantMachine{Name: s.name, Away: "it does not run (" + cmp.Or(s.words, s.state) + ")"}
	if s.state == vagrantNotMade {
		return m, nil
	}
	config, err := v.ask(ctx, "ssh-config", s.name)
	var failed *vagrantFailure
	switch {
	case err != nil && errors.As(err, &failed) && s.state != vagrantRunning:
		return m, nil
	case err != nil:
		return m, err
	}
	answer, err := v.ask(ctx, "ssh", s.name, "-c", convert.VagrantQuestion, "--", "-T")
	if err != nil {
		return m, err
	}
	m.Away, m.SSHConfig, m.Guest = "", []byte(config), []byte(answer)
	return m, nil
}
