package plan

import (
	"fmt"
	"slices"
	"strings"

	"fairlead/provision/facts"
	"fairlead/templates"
)

// unreadName is what ignorePreflight calls findings about facts that cannot be read. Only those that nothing is planned by can be
// ignored.
const unreadName = "Unread"

// maxUnread is how many such findings there are of one host: it may say what it likes.
const maxUnread = 10

// unreadFindings are about the lines of a host's answer that cannot be read. They are warnings where nothing is planned by what
// these were to say.
func unreadFindings(host string, unread []facts.Unread, ignored bool) []Finding {
	isHarmless := facts.Unread.Harmless
	needed := slices.DeleteFunc(slices.Clone(unread), isHarmless)
	shown := needed
	if !ignored {
		shown = slices.Concat(needed, slices.DeleteFunc(slices.Clone(unread), func(u facts.Unread) bool { return !isHarmless(u) }))
	}
	more := max(len(shown)-maxUnread, 0)
	var findings []Finding
	for _, u := range shown[:len(shown)-more] {
		findings = append(findings, Finding{Host: host, Name: unreadName, Message: unreadMessage(u), Fix: unreadMending(host, u), Warning: u.Harmless()})
	}
	if more > 0 {
		findings = append(findings, Finding{
			Host: host, Name: unreadName, Message: Counted(more, "more fact") + " cannot be read",
			Fix: "mend those above first", Warning: len(needed) <= maxUnread,
		})
	}
	return findings
}

// warnings are findings that stop nothing.
func warnings(findings []Finding) []Finding {
	for i := range findings {
		findings[i].Warning = true
	}
	return findings
}

func unreadMessage(u facts.Unread) string {
	what, _ := unreadWords(u)
	if u.Fact == "certificate" && u.Of == templates.CACertificate {
		what += ", which says to which cluster the host belongs,"
	}
	if u.Value == "" {
		return fmt.Sprintf("%s cannot be read: %s", what, u.Why)
	}
	return fmt.Sprintf("%s cannot be read, it is \"%s\": %s", what, u.Value, u.Why)
}

// unreadWords say what a fact is, and where on the host it comes from: a command or a file, or nothing.
func unreadWords(u facts.Unread) (what, from string) {
	words, known := unreadTable()[u.Fact]
	if !known {
		words = [2]string{"the fact " + u.Fact + " OF"}
	}
	of := func(text string) string { return strings.TrimSpace(strings.ReplaceAll(text, "OF", u.Of)) }
	return of(words[0]), of(words[1])
}

// unreadTable has words for facts; OF stands for what a fact is about. The commands are those of scripts/probe*.sh.
func unreadTable() map[string][2]string {
	files := func(what string) [2]string { return [2]string{what, "stat OF"} }
	return map[string][2]string{
		"":             {"a line of the host's answer", ""},
		"uid":          {"the user's number", "id -u"},
		"clock":        {"the time", "date +%s%N"},
		"cpus":         {"the number of processors", "nproc"},
		"memory":       {"the size of the memory", "/proc/meminfo"},
		"capabilities": {"the set of capabilities", "/proc/self/status"},
		"systemd":      {"systemd's version", "systemctl show --property Version"},
		"cgroup":       {"the version of cgroups", "stat -fc %T /sys/fs/cgroup"},
		"selinux":      {"SELinux's mode", "/sys/fs/selinux/enforce"},
		"disk":         {"the room for OF", "df -Pk OF"},
		"address":      {"an address of OF", "ip address show dev OF"},
		"nameserver":   {"a name server in /etc/resolv.conf", "/etc/resolv.conf"},
		"port":         {"a port that a program listens on, OF,", "ss -Hltnp"},
		"swap":         {"a swap device", "/proc/swaps"},
		"swap-unit":    {"the swap unit OF", "systemctl show OF"},
		"unit":         {"the unit OF", "systemctl show OF"},
		"module":       {"the kernel module OF", "lsmod"},
		"sysctl":       {"the kernel parameter OF", "sysctl OF"},
		"file":         files("the file OF"),
		"sha256":       files("the hash of OF"),
		"tree":         files("the folder OF"),
		"socket":       files("the socket OF"),
		"symlink":      files("the link OF"),
		"content":      files("the text of OF"),
		"certificate":  {"the certificate OF", ""},
		"version":      {"the version of OF", "OF --version"},
		"package":      {"the package OF", "the package manager's list of what is installed"},
		"candidate":    {"the package OF", "the package manager's list of what can be installed"},
		"environment":  {"the variable OF of systemd's environment", "systemctl show-environment"},
		"image":        {"the image OF", "ctr --namespace k8s.io images check"},
	}
}

// unreadMending is what to do about a fact that cannot be read.
func unreadMending(host string, u facts.Unread) string {
	_, from := unreadWords(u)
	switch {
	case u.Fact == "":
		return "let nothing else print while a command runs on the host (exec 2>&1 or set -x in start-up files of the login shell)"
	case u.Fact == "nameserver":
		return "correct the line in /etc/resolv.conf; what names no address is passed over by the resolver, and stops CoreDNS"
	case u.Fact == "certificate":
		return certificateMending(host, u.Of)
	case from == "":
		return "mend what it comes from on the host"
	}
	return "look on the host at: " + from
}

// certificateMending says how one comes back that a cut of power, or a full disk, has left empty or cut.
func certificateMending(host, path string) string {
	otherwise := "; if the host belongs to no cluster any more: fairlead reset " + host + ", and remove the file if it is still there"
	switch {
	case strings.HasPrefix(path, templates.RegistryFolder+"/"):
		return "remove the file: up makes it anew"
	case path == templates.KubeletClientCertificate:
		return "remove the file: up has the host join once more"
	case path == templates.CACertificate:
		return "put a whole copy there: every host of its cluster has the same one" + otherwise
	}
	return "put a whole copy there, from a backup" + otherwise
}
