//go:build cluster

package cluster

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	// marker is touched on each host before a run whose files are to be searched. It lies in a
	// folder that fairlead does not own.
	marker = "/var/tmp/fairlead-e2e-marker"
	// canaries are files with a token and a key, which every search of a host has to find.
	canaries = "/etc/fairlead-e2e-canary /var/tmp/fairlead-e2e-canary"
)

// markHosts begins what scan ends.
func (s *site) markHosts(hosts []string) {
	s.t.Helper()
	for _, host := range hosts {
		s.shell(host, "touch "+marker)
	}
}

// privateKeyMarks are how private keys begin: as PEM, and as a kubeconfig holds PEM.
func privateKeyMarks() []string {
	return []string{
		"PRIVATE KEY-----",
		"LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVkt", "LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS", "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS",
	}
}

// scan searches all that runs have said and written for the tokens of their joins and for private
// keys: what they printed, command lines, the laptop's files, and those of the hosts.
func (s *site) scan(hosts []string, seen *samples, runs ...outcome) {
	s.t.Helper()
	secrets := map[string]string{}
	for _, mark := range privateKeyMarks() {
		secrets[mark] = "a private key"
	}
	var tokens []string
	for _, join := range seen.join() {
		_, secret, _ := strings.Cut(join.token, ".")
		secrets[secret] = "the secret of a token"
		tokens = append(tokens, secret)
	}
	texts := map[string]string{"command lines": strings.Join(slices.Sorted(maps.Keys(seen.lines)), "\n")}
	for _, o := range runs {
		texts["events of "+o.line], texts["standard error of "+o.line] = o.stdout, o.stderr
	}
	s.laptopFiles(texts)
	logs := 0
	for name, text := range texts {
		if strings.HasSuffix(name, ".log") {
			logs++
		}
		for mark, what := range secrets {
			if strings.Contains(text, mark) {
				s.t.Errorf("%s: holds %s", name, what)
			}
		}
	}
	if logs < len(runs) || len(tokens) == 0 {
		s.t.Errorf("%d debug logs were searched for %d tokens", logs, len(tokens))
	}
	for _, host := range hosts {
		s.scanHost(host, tokens)
	}
}

// laptopFiles adds all files that fairlead has below its home folder. The lab's own key
// lies elsewhere.
func (s *site) laptopFiles(texts map[string]string) {
	s.t.Helper()
	err := filepath.WalkDir(s.home, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		texts[path] = string(data)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// wantNoKeysOnLaptop searches the laptop's files alone, for private keys.
func (s *site) wantNoKeysOnLaptop() {
	s.t.Helper()
	texts := map[string]string{}
	s.laptopFiles(texts)
	logs := 0
	for name, text := range texts {
		if strings.HasSuffix(name, ".log") {
			logs++
		}
		for _, mark := range privateKeyMarks() {
			if strings.Contains(text, mark) {
				s.t.Errorf("%s: holds a private key", name)
			}
		}
	}
	if logs == 0 {
		s.t.Error("no debug log was searched")
	}
}

// written lists the files of a host that were written since the marker, each ended by a zero byte.
// The token may be in etcd's data, where the cluster keeps its Secrets.
const written = `lasting find / \( -path /proc -o -path /sys -o -path /dev -o -path /var/lib/etcd -o -path '/run/containerd/io.containerd.runtime*' -o -path /run/netns \
	-o -path '/var/lib/kubelet/pods/*/volumes' \) -prune -o -type f -cnewer ` + marker + ` -print0 >/tmp/written
tr -dc '\0' </tmp/written | wc -c`

// scanHost searches the files that were written on the host since the marker. Keys may be where
// kubeadm and the kubelet have theirs. Programs hold the words that begin a key, so that binary
// files are searched for tokens alone.
func (s *site) scanHost(host string, tokens []string) {
	s.t.Helper()
	s.shell(host, `for file in `+canaries+`; do printf '%s\n' "$@" >"$file"; done`, append([]string{"-----BEGIN PRIVATE KEY-----"}, tokens...)...)
	defer s.shell(host, "rm "+canaries)
	s.t.Logf("host %s: %s files written", host, s.look(host, written))
	// grep's code is lost in xargs'; what either complains of counts.
	const complaints = ` 2>/tmp/unread || :
		! grep -v ': No such file or directory$' /tmp/unread >&2`
	for what, script := range map[string]string{
		"the secret of a token": `xargs -0 grep -lF -e "$1" </tmp/written` + complaints,
		"a private key": `grep -zvE '^/(etc/kubernetes|var/lib/kubelet/pki|etc/ssh)/' /tmp/written >/tmp/elsewhere
			xargs -0 grep -IlE -e "$2" </tmp/elsewhere` + complaints,
	} {
		out := strings.Fields(s.look(host, script, strings.Join(tokens, "\n"), strings.Join(privateKeyMarks(), "|")))
		slices.Sort(out)
		if want := strings.Fields(canaries); !slices.Equal(out, want) {
			s.t.Errorf("host %s: %s is in %q, want %q", host, what, out, want)
		}
	}
}
