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
			r.draft.AddNote(v.line, v.key, "its ProxyCommand is left out: fairlead goes through hosts by ssh.jump")
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

// jump splits the value of -J.
func (r *reading) jump(s Setting) []string {
	if s.Value == "" || strings.EqualFold(s.Value, "none") {
		return nil
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
	var host, user, port Setting
	through := false
	for i := 1; i < len(all); i++ {
		name, value := all[i], ""
		if len(name) > 1 && name[0] == '-' && strings.ContainsRune("Wpliob", rune(name[1])) {
			if value = name[2:]; value == "" && i+1 < len(all) {
				i++
				value = all[i]
			}
			name = name[:2]
		}
		switch {
		case name == "-W":
			through = value == "%h:%p" || value == "[%h]:%p"
		case name == "-p":
			port = Setting{Value: value, Key: v.key, Line: v.line}
		case name == "-l":
			user = Setting{Value: value, Key: v.key, Line: v.line}
		case name == "-i":
			r.draft.AddNote(v.line, v.key, "the key of its ProxyCommand is left out: hosts to go through have none of their own here; ~/.ssh/config can name one")
		case name == "-o":
			option, _, _ := strings.Cut(value, "=")
			r.draft.AddNote(v.line, v.key, "the option "+clip(option)+" of its ProxyCommand is left out")
		case strings.HasPrefix(name, "-"): // -q, -A, -t and such say nothing of the way
		case host.Value != "":
			return nil
		default:
			host = Setting{Value: name, Key: v.key, Line: v.line}
		}
	}
	if !through || host.Value == "" {
		return nil
	}
	if name, at, found := strings.Cut(host.Value, "@"); found {
		user.Value, host.Value = name, at
	}
	return r.hop(host, user, port)
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
