package convert

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"fairlead/inventory"
)

// sshConfigWhys are reasons by the keywords that `vagrant ssh-config` prints, in lower case.
func sshConfigWhys() map[string]string {
	const keys = "left out: it would turn the check of host keys off, which fairlead never does; `fairlead trust` records the keys"
	return map[string]string{ //nolint:gosec // no secrets
		"userknownhostsfile":       keys,
		"stricthostkeychecking":    keys,
		"passwordauthentication":   "fairlead logs in with keys",
		"identitiesonly":           "fairlead tries the key of identityFile first",
		"loglevel":                 "how much ssh says",
		"proxycommand":             "left out: fairlead goes through hosts by ssh.jump",
		"forwardagent":             "fairlead forwards no agent",
		"forwardx11":               "fairlead forwards no display",
		"pubkeyacceptedkeytypes":   "fairlead takes what Go's SSH takes",
		"pubkeyacceptedalgorithms": "fairlead takes what Go's SSH takes",
		"hostkeyalgorithms":        "fairlead takes what Go's SSH takes",
	}
}

// readSSHConfig reads blocks of hosts as `vagrant ssh-config` prints them. This is no parser for all that ssh takes: patterns,
// Match and Include mean nothing without the rest of a user's configuration, so blocks of that kind are noted and left out. (The
// library for it opens the files that Include names, whoever wrote them.)
func readSSHConfig(r *reading, data []byte) {
	if r.whys == nil {
		r.whys = sshConfigWhys()
	}
	var block *sshBlock
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		if !utf8.ValidString(line) {
			r.fault(number, "is not UTF-8 text")
			return
		}
		keyword, value := sshLine(line)
		switch strings.ToLower(keyword) {
		case "":
		case "host":
			r.addBlock(block)
			block = &sshBlock{line: number, name: value, values: map[string]Setting{}}
		case "match":
			r.addBlock(block)
			block = &sshBlock{line: number, name: "*", values: map[string]Setting{}}
		default:
			if block == nil {
				r.draft.AddNote(number, keyword, "stands above all hosts, and is left out")
				continue
			}
			r.blockLine(block, keyword, Setting{Value: value, Key: keyword, Line: number})
		}
	}
	r.addBlock(block)
	if len(r.draft.Hosts) == 0 {
		r.fault(1, "names no host alone: of `vagrant ssh-config` each machine that runs has a block")
		return
	}
	r.vagrantRoles()
}

// sshBlock is what follows a Host line.
type sshBlock struct {
	line   int
	name   string
	values map[string]Setting // the first of each keyword, as ssh takes it
}

// sshLine splits a line into keyword and value: `Port 22`, `Port=22`, `IdentityFile "/a b"`.
func sshLine(line string) (keyword, value string) {
	m := regexp.MustCompile(`^\s*([A-Za-z0-9]+)(?:\s*=\s*|\s+)(.*?)\s*$`).FindStringSubmatch(line)
	if m == nil {
		return "", ""
	}
	return m[1], unquote(m[2])
}

func (r *reading) blockLine(b *sshBlock, keyword string, s Setting) {
	key := strings.ToLower(keyword)
	switch key {
	case "hostname", "user", "port", "identityfile", "proxyjump":
		if _, again := b.values[key]; !again {
			b.values[key] = s
		} else {
			r.draft.AddNote(s.Line, keyword, "one of several; the first is taken")
		}
	default:
		why := r.whys[key]
		if why == "" {
			why = noCounterpart
		}
		r.draft.AddNote(s.Line, keyword, why)
	}
}

func (r *reading) addBlock(b *sshBlock) {
	if b == nil {
		return
	}
	if b.name == "" || strings.ContainsAny(b.name, "*?! \t") {
		r.draft.AddNote(b.line, "", "the block here is not about one host, and left out")
		return
	}
	h := Host{Line: b.line, From: b.name}
	w := ways{public: b.values["hostname"], user: b.values["user"], port: b.values["port"], key: b.values["identityfile"]}
	if w.public.Value == "" {
		w.public = Setting{Value: b.name, Key: "Host", Line: b.line}
	}
	r.reach(&h, w)
	h.SSH.Jump = r.jump(b.values["proxyjump"])
	if strings.Contains(w.key.Value, "insecure_private_key") {
		r.draft.AddNote(w.key.Line, w.key.Key+" of "+b.name, "is Vagrant's insecure key, which everybody has: who reaches this machine can log in; config.ssh.insert_key makes one of its own")
	}
	r.draft.Hosts = append(r.draft.Hosts, h)
}

// vagrantRoles goes by names, as nothing else tells roles; where no name does, the first machine is the control plane.
func (r *reading) vagrantRoles() {
	d := r.draft
	known := regexp.MustCompile(`(?i)(master|control|^cp|[-_.]cp)`)
	var found []string
	for i := range d.Hosts {
		d.Hosts[i].Role = inventory.RoleWorker
		if known.MatchString(d.Hosts[i].From) {
			d.Hosts[i].Role = inventory.RoleControlPlane
			found = append(found, d.Hosts[i].From)
		}
	}
	switch {
	case len(r.options.ControlPlane) > 0:
		return
	case len(found) == 0:
		d.Hosts[0].Role = inventory.RoleControlPlane
		d.AddNote(0, "", "the first host is the control plane, as no name tells; --control-planes chooses others")
	default:
		d.AddNote(0, "", "the control plane is told by the names: "+list(found)+"; --control-planes chooses others")
	}
}

// portSuffix is :PORT, or nothing for the usual one.
func portSuffix(port int) string {
	if port == 0 || port == inventory.DefaultSSHPort {
		return ""
	}
	return ":" + strconv.Itoa(port)
}
