package facts

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Unread is a line of a host's answer that cannot be read. It may have said anything: nothing must be planned as if it had said
// that something is not there.
type Unread struct {
	// Fact is the name of the fact that the line was to be; empty where that is not known either.
	Fact string `json:"fact,omitzero"`
	// Of is what the fact is about, where that is a field of its own: a path, a link, a unit.
	Of string `json:"of,omitzero"`
	// Value is what else the line says.
	Value string `json:"value,omitzero"`
	// Why says why it cannot be read.
	Why string `json:"why,omitzero"`
}

// Limits of what is kept of a line that cannot be read.
const (
	maxName  = 200
	maxValue = 60
)

// NewUnread keeps of a line what may be shown: it is made printable, shortened, and loses what may be secret.
func NewUnread(fact, of, value, why string) Unread {
	return Unread{Fact: fact, Of: shortened(of, maxName), Value: shortened(withoutSecrets(value), maxValue), Why: shortened(why, maxName)}
}

// String names the line for people.
func (u Unread) String() string {
	words := u.Fact
	for _, word := range []string{u.Of, u.Value} {
		if word != "" {
			words += " " + word
		}
	}
	return fmt.Sprintf("%q cannot be read: %s", strings.TrimSpace(words), u.Why)
}

// Harmless says that nothing is planned by what the line was to say, so that a plan can be made without it.
func (u Unread) Harmless() bool {
	switch u.Fact {
	case "nameserver", "address", "reach", "readyz":
		return true
	case "certificate": // some keep others among those of the cluster
		folder, isOfCluster := strings.CutPrefix(u.Of, clusterCertificates)
		return isOfCluster && !slices.Contains(kubeadmCertificates(), folder)
	}
	return false
}

const clusterCertificates = "/etc/kubernetes/pki/"

// kubeadmCertificates are those that a control plane cannot do without (cmd/kubeadm/app/phases/certs/certlist.go).
func kubeadmCertificates() []string {
	return []string{
		"ca.crt", "apiserver.crt", "apiserver-kubelet-client.crt", "apiserver-etcd-client.crt", "front-proxy-ca.crt", "front-proxy-client.crt",
		"etcd/ca.crt", "etcd/server.crt", "etcd/peer.crt", "etcd/healthcheck-client.crt",
	}
}

// Understood are the facts that a plan can be made by. A host of which some fact cannot be read that a plan may need is one
// that has not answered: what it did say is no proof of what there is not. What cannot be read stays.
func (f Facts) Understood() Facts {
	understood := map[string]Host{}
	for name, host := range f.Hosts {
		if host.Unreachable == nil && slices.ContainsFunc(host.Unread, func(u Unread) bool { return !u.Harmless() }) {
			understood[name] = Host{Unread: host.Unread, Unreachable: &Problem{Kind: HostUnread, Text: "some of its facts cannot be read"}}
		}
	}
	if len(understood) > 0 {
		hosts := maps.Clone(f.Hosts)
		maps.Copy(hosts, understood)
		f.Hosts = hosts
	}
	return f
}

// Away says why there are no facts of a host that a plan could be made by; it is empty where there are.
func (f Facts) Away(name string) string {
	switch host, ok := f.Hosts[name]; {
	case !ok:
		return "cannot be looked at"
	case host.Unreachable == nil:
		return ""
	case host.Unreachable.Of(HostUnread):
		return "has facts that cannot be read"
	}
	return "cannot be looked at"
}

// Printable is a text as a fact has it: control characters, what is not seen and bytes that are no characters are written as Go
// writes them. A text without any of these stays as it is.
func Printable(text string) string {
	return Escaped(text, func(r rune) bool { return !unicode.IsPrint(r) })
}

// Escaped is a text in which bytes that are no characters, and the characters that are to be, are written as Go writes them: \x1b
// for one. A text without any of these stays as it is.
func Escaped(text string, toBe func(rune) bool) string {
	if utf8.ValidString(text) && !strings.ContainsFunc(text, toBe) {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)):
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case toBe(r):
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func shortened(text string, limit int) string {
	text = Printable(text)
	if utf8.RuneCountInString(text) > limit {
		text = string([]rune(text)[:limit]) + "…"
	}
	return text
}

// withoutSecrets marks a text that speaks of secrets, and users and passwords of URLs.
func withoutSecrets(text string) string {
	if secretWord.MatchString(text) {
		return mark
	}
	begin, end := strings.Index(text, "://"), strings.LastIndexByte(text, '@')
	if begin < 0 || end < begin {
		return text
	}
	return text[:begin+len("://")] + mark + text[end:]
}
