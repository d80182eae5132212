//go:build cluster

package cluster

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fairlead/e2e/bundle"
	"fairlead/e2e/lab"
)

const (
	quickStartFolder = "../../docs"
	// screen is how many lines a quick start may have.
	screen = 40
	// quickStartTime bounds one of them. On two cores each takes about a minute.
	quickStartTime = 5 * time.Minute
)

// quickStart is a document whose commands are run as they stand there.
type quickStart struct {
	file string
	// swaps say what stands for names, addresses and files of the document; old and new alternate, the first that fits counts.
	swaps []string
	// ownBundle says that the document itself puts a bundle into the cluster file.
	ownBundle bool
	// prepare makes what the document takes for granted.
	prepare func(s *site)
	// after is what has to be true when a command that begins so has ended.
	after map[string]func(s *site)
}

// testReachQuickStarts runs them on hosts that reach nothing but each other, one after another.
func testReachQuickStarts(t *testing.T) {
	hosts := []string{"cp1", "w1", "w2", "w3"}
	s := otherSite(t, func(options *lab.Options) { options.Closed = true }, hosts...)
	var files []string
	for _, q := range s.quickStarts() {
		files = append(files, q.file)
		t.Run(strings.TrimSuffix(strings.TrimPrefix(q.file, "quickstart-"), ".md"), func(t *testing.T) { newSite(t, hosts...).follow(q) })
	}
	there, err := filepath.Glob(filepath.Join(quickStartFolder, "quickstart*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range there {
		if !slices.Contains(files, filepath.Base(path)) {
			t.Errorf("nobody runs %s", path)
		}
	}
}

// quickStarts are all of them. Where one ends without a reset, it comes last.
func (s *site) quickStarts() []quickStart {
	threeReady := func(s *site) { s.wantNodes("cp1", "w1", "w2") }
	inContainers := func(s *site) {
		s.wantNodes(s.labHost("cp1").Container, s.labHost("w1").Container, s.labHost("w2").Container, s.labHost("w3").Container)
	}
	ubuntu := []string{"ubuntu", lab.User, "192.0.2.11", s.address("cp1"), "192.0.2.21", s.address("w1"), "192.0.2.22", s.address("w2"), "192.0.2.23", s.address("w3")}
	return []quickStart{
		{
			// The lab's hosts have one address each: the public one is a port of this machine that leads there.
			file: "quickstart-cloud.md", prepare: func(*site) {},
			swaps: slices.Concat(s.forwardedHost("203.0.113.11", "10.0.0.11", "cp1"), s.forwardedHost("203.0.113.21", "10.0.0.21", "w1"),
				s.forwardedHost("203.0.113.22", "10.0.0.22", "w2"), s.forwardedHost("203.0.113.23", "10.0.0.23", "w3"), []string{"ubuntu", lab.User}),
			after: map[string]func(*site){
				"fairlead up": threeReady, "fairlead join": func(s *site) { s.wantNodes("cp1", "w1", "w2", "w3") }, "fairlead reset w3": threeReady,
			},
		},
		{
			// The stick is a folder.
			file: "quickstart-closed-network.md", prepare: (*site).insertStick, ownBundle: true,
			swaps: append([]string{"/media/stick", filepath.Join("$HOME", "stick"), "bin/fairlead", strconv.Quote(shared.program), "make -s", "make -s -C " + strconv.Quote(repository(s.t))}, ubuntu...),
			after: map[string]func(*site){"fairlead up": threeReady},
		},
		{
			// A program that is called vagrant knows the lab's hosts.
			file: "quickstart-vagrant.md", prepare: func(s *site) { s.playVagrant("cp1", "w1", "w2") },
			after: map[string]func(*site){"fairlead up": threeReady},
		},
		{
			// The lab's hosts are containers, which no kind has made: they go by the lab's label.
			file: "quickstart-kind.md", prepare: func(s *site) { s.playKind("cp1", "w1", "w2", "w3") },
			swaps: []string{"kind:lab", "docker:label=fairlead.lab=" + shared.options.Name},
			after: map[string]func(*site){"fairlead up": inContainers},
		},
		{
			file: "quickstart-take-over.md", prepare: (*site).haveCluster, swaps: ubuntu,
			after: map[string]func(*site){
				"fairlead up":   func(s *site) { threeReady(s); s.planned(0) },
				"fairlead join": func(s *site) { s.wantNodes("cp1", "w1", "w2", "w3") },
			},
		},
	}
}

// follow does what a quick start says.
func (s *site) follow(q quickStart) {
	s.t.Helper()
	s.furnish()
	q.prepare(s)
	text := s.read(filepath.Join(quickStartFolder, q.file))
	if lines := strings.Count(text, "\n"); lines > screen {
		s.t.Errorf("%s has %d lines, and a screen %d", q.file, lines, screen)
	}
	begin := time.Now()
	met := map[string]bool{}
	for _, line := range shellLines(text) {
		s.typeLine(strings.NewReplacer(q.swaps...).Replace(line), q.ownBundle)
		for begin, check := range q.after {
			if strings.HasPrefix(line, begin) {
				met[begin] = true
				check(s)
			}
		}
	}
	if len(met) != len(q.after) {
		s.t.Errorf("%s: of %d commands with a check behind them %d stand in it", q.file, len(q.after), len(met))
	}
	if took := time.Since(begin); took > quickStartTime {
		s.t.Errorf("%s takes %s", q.file, took)
	} else {
		s.t.Logf("%s: %.0fs", q.file, took.Seconds())
	}
}

// shellLines are the lines of a document's blocks of commands.
func shellLines(text string) []string {
	var lines []string
	inside := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```sh"
		case inside && strings.TrimSpace(line) != "":
			lines = append(lines, line)
		}
	}
	return lines
}

// typeLine runs a line as somebody types it who answers all questions, and sees to it that a cluster file that came about so goes with the lab.
func (s *site) typeLine(line string, ownBundle bool) {
	s.t.Helper()
	before, _ := os.ReadFile(s.file) // it may not be there
	cmd := exec.CommandContext(s.ctx, "/bin/sh", "-euc", line)
	cmd.Dir = s.home
	cmd.Env = append([]string{"HOME=" + s.home, "XDG_CACHE_HOME=" + filepath.Join(s.home, "cache"), "TMPDIR=" + filepath.Join(s.home, "tmp"), "TERM=dumb"}, s.env...)
	begin := time.Now()
	shown, code := s.converse(cmd, map[string]string{"[y/N]": "y\n", "to go on:": "lab\n", "(yes/no": "yes\n"})
	s.t.Logf("%s: exit %d after %.1fs", line, code, time.Since(begin).Seconds())
	if code != 0 {
		s.t.Fatalf("%s: exit %d\n%s", line, code, lastLines(shown))
	}
	if _, err := os.Stat(s.file); len(before) == 0 && err == nil {
		s.suitLab(ownBundle)
	}
}

// suitLab puts into a starter what every inventory of the lab has: settings for hosts of one kernel and one disk, and, unless it has its own,
// the bundle, as these hosts reach no repositories.
func (s *site) suitLab(ownBundle bool) {
	s.t.Helper()
	text, err := s.lab.Inventory(usual())
	if err != nil {
		s.t.Fatal(err)
	}
	_, config, _ := strings.Cut(text, "  config:\n")
	config, _, _ = strings.Cut(config, "ssh:\n")
	if !ownBundle {
		s.edit("  # bundle: ./fairlead-1.37.2-amd64.oci.tar\n", "  bundle: "+strconv.Quote(shared.bundle)+"\n")
	}
	s.edit("  # config:\n", "  config:\n"+config, "  #   KubeletConfiguration: {maxPods: 200}\n", "")
	if strings.Contains(text, "ignorePreflight: [SystemVerification]\n") {
		s.edit("# ignorePreflight: []\n", "ignorePreflight: [SystemVerification]\n")
	}
}

// repository is the folder of all this.
func repository(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// furnish gives the site a laptop's programs and its configuration of ssh, but no cluster file and no known hosts.
func (s *site) furnish() {
	s.t.Helper()
	if err := os.Remove(s.file); err != nil {
		s.t.Fatal(err)
	}
	config := filepath.Join(s.home, "ssh_config")
	s.write(config, "Host *\n  IdentityFile "+strconv.Quote(s.lab.IdentityFile())+"\n  UserKnownHostsFile "+strconv.Quote(filepath.Join(s.home, "known_hosts"))+"\n")
	s.configureSSH(config)
	kubectl, err := bundle.Program(s.ctx, bundle.Options{}, "kubernetes", "kubectl")
	if err != nil {
		s.t.Fatal(err)
	}
	for name, program := range map[string]string{"fairlead": shared.program, "kubectl": kubectl} {
		if err := os.Symlink(program, filepath.Join(s.home, "bin", name)); err != nil {
			s.t.Fatal(err)
		}
	}
}
