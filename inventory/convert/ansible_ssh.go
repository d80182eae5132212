package convert

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"fairlead/inventory"
)

// sshArguments takes out of ansible_ssh_common_args what a cluster file can say. The rest is noted by the option's name.
func (r *reading) sshArguments(h *Host, v variable) {
	all, err := words(v.value)
	if err != nil {
		r.draft.AddNote(v.line, v.key, "is not read: "+err.Error())
		return
	}
	for i := 0; i < len(all); i++ {
		name, value := all[i], ""
		if len(name) > 2 && name[0] == '-' && strings.ContainsRune("oJipl", rune(name[1])) {
			name, value = name[:2], name[2:]
		} else if slices.Contains([]string{"-o", "-J", "-i", "-p", "-l"}, name) && i+1 < len(all) {
			i++
			value = all[i]
		}
		if name == "-o" {
			option := regexp.MustCompile(`\s*=\s*|\s+`).Split(strings.TrimSpace(value), 2)
			name, value = option[0], ""
			if len(option) == 2 {
				value = option[1]
			}
		}
		r.sshArgument(h, v, name, strings.TrimSpace(value))
	}
}

// sshArgument is one option of ssh, by its name in a configuration or by its letter.
func (r *reading) sshArgument(h *Host, v variable, name, value string) {
	at := Setting{Value: value, Key: v.key, Line: v.line}
	switch strings.ToLower(name) {
	case "-j", "proxyjump":
		h.SSH.Jump = r.jump(at)
	case "proxycommand":
		if h.SSH.Jump = r.proxyCommand(v, value); h.SSH.Jump == nil {
			r.draft.AddNote(v.line, v.key, "its ProxyCommand is left out: fairlead goes through hosts by ssh.jump, or by what ~/.ssh/config says")
		}
	case "-l", "user":
		if h.SSH.User == "" {
			h.SSH.User = value
		}
	case "-p", "port":
		if h.SSH.Port == 0 {
			h.SSH.Port = r.port(at)
		}
	case "-i", "identityfile":
		if h.SSH.IdentityFile == "" {
			h.SSH.IdentityFile = value
		}
	case "stricthostkeychecking", "userknownhostsfile", "checkhostip", "globalknownhostsfile":
		r.draft.AddNote(v.line, v.key, "its "+name+" is left out: fairlead always verifies host keys; `fairlead trust` records them")
	default:
		r.draft.AddNote(v.line, v.key, "its "+clip(name)+" "+noCounterpart)
	}
}

// jump splits the value of -J. It is empty, and not nil, for none.
func (r *reading) jump(s Setting) []string {
	if s.Value == "" {
		return nil
	}
	if strings.EqualFold(s.Value, "none") {
		return []string{}
	}
	hops := strings.Split(s.Value, ",")
	for i, hop := range hops {
		hops[i] = strings.TrimSpace(hop)
		if wordProblem(hops[i], "/") != "" || hops[i] == "" {
			r.fault(s.Line, "%s: %q cannot be part of ssh.jump", s.Key, clip(hop))
			return nil
		}
	}
	return hops
}

// proxyCommand reads the usual way through a host: ssh [-q] -W %h:%p [-p PORT] [-l USER] [USER@]HOST. Others give nil.
func (r *reading) proxyCommand(v variable, command string) []string {
	all, err := words(strings.Trim(command, `"'`))
	if err != nil || len(all) < 2 || all[0] != "ssh" {
		return nil
	}
	options, operands := sshOptions(all[1:])
	if to := options["-W"]; to != "%h:%p" && to != "[%h]:%p" || len(operands) != 1 {
		return nil
	}
	if options["-i"] != "" {
		r.draft.AddNote(v.line, v.key, "the key of its ProxyCommand is left out: hosts to go through have none of their own here; ~/.ssh/config can name one")
	}
	if option, _, _ := strings.Cut(options["-o"], "="); option != "" {
		r.draft.AddNote(v.line, v.key, "the option "+clip(option)+" of its ProxyCommand is left out")
	}
	at := func(value string) Setting { return Setting{Value: value, Key: v.key, Line: v.line} }
	user, host := options["-l"], operands[0]
	if name, rest, found := strings.Cut(host, "@"); found {
		user, host = name, rest
	}
	return r.hop(at(host), at(user), at(options["-p"]))
}

// sshOptions splits the arguments of ssh; of an option that is there several times all values are kept, with spaces between.
func sshOptions(arguments []string) (options map[string]string, operands []string) {
	options = map[string]string{}
	for i := 0; i < len(arguments); i++ {
		argument := arguments[i]
		switch {
		case len(argument) < 2 || argument[0] != '-':
			operands = append(operands, argument)
		case !strings.ContainsRune("WpliobFJ", rune(argument[1])): // -q, -A, -t and such say nothing of the way
		case len(argument) > 2:
			options[argument[:2]] = strings.TrimSpace(options[argument[:2]] + " " + argument[2:])
		case i+1 < len(arguments):
			i++
			options[argument] = strings.TrimSpace(options[argument] + " " + arguments[i])
		}
	}
	return options, operands
}

// connection applies ansible_connection.
func (r *reading) connection(h *Host, v variable) {
	switch plugin := v.value[strings.LastIndex(v.value, ".")+1:]; plugin {
	case "", "ssh", "smart", "paramiko", "paramiko_ssh", "libssh":
	case "local":
		h.SSH = inventory.SSH{Transport: inventory.TransportLocal}
	case "docker", "docker_api", "podman", "nerdctl", "buildah":
		r.draft.AddNote(v.line, v.key, strconv.Quote(clip(plugin))+" is not taken; write ssh: {transport: docker, container: NAME} (or podman, nerdctl) to the host")
	default:
		r.draft.AddNote(v.line, v.key, strconv.Quote(clip(plugin))+" is not taken: fairlead goes by SSH")
	}
}
