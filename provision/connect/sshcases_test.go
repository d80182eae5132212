package connect

import (
	"context"
	"net/netip"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fairlead/inventory"
	"fairlead/provision/remote/ssh"
	"fairlead/provision/remote/sshconfig"
)

// verdict is what becomes of a login.
type verdict string

const (
	accepted verdict = "accepted"
	refused  verdict = "refused"
)

// sshCase is a row of the tables: with a configuration, somebody wants to log in to a host.
type sshCase struct {
	name   string
	ask    string // [user@]name[:port]; "" is web
	config string // with words of the bench in braces, for `Host *` where there is no block
	jump   string // as ssh -J takes it, and ssh.jump of the inventory; "" for what the configuration says
	want   verdict
	says   string // what fairlead says of a refusal
	// stricter is why fairlead refuses what ssh accepts.
	stricter string
}

// TestAsOpenSSH has the same configuration read by ssh and by fairlead, and both log in to the same sshd.
func TestAsOpenSSH(t *testing.T) {
	program, err := exec.LookPath("ssh")
	if err != nil {
		t.Fatalf("%v: these tests need OpenSSH's client: install openssh-client", err)
	}
	t.Setenv("SSH_AUTH_SOCK", "")
	t.Setenv("SHELL", "/bin/sh")
	bench := newSSHBench(t)
	cases := slices.Concat(whereCases(), identityCases(), hostKeyCases(), commandCases(), jumpCases())
	if len(cases) < 40 {
		t.Errorf("only %d cases", len(cases))
	}
	names := map[string]bool{}
	for _, c := range cases {
		if names[c.name] {
			t.Errorf("two cases are called %q", c.name)
		}
		names[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			config := bench.write(t, c.config)
			q := question(t, bench.words.Replace(c.ask))
			q.Jump = bench.words.Replace(c.jump)
			target, err := bench.fairlead(t, config, q) // before ssh writes new keys into files
			theirs := askSSH(t, program, config, q)
			want := c.want
			if c.stricter != "" {
				want = accepted
			}
			if theirs.verdict != want {
				t.Errorf("ssh: %s, want %s: %s", theirs.verdict, want, theirs.said)
			}
			switch {
			case err == nil && c.want == refused:
				t.Error("fairlead logs in")
			case err != nil && c.want == accepted, err != nil && !strings.Contains(err.Error(), bench.words.Replace(c.says)):
				t.Errorf("fairlead: %v", err)
			case err != nil && c.says == "":
				t.Errorf("nobody looks what fairlead says: %v", err)
			}
			if target != nil {
				theirs.compare(t, *target)
			}
		})
	}
}

// question reads a row's ask.
func question(t *testing.T, text string) sshconfig.Question {
	t.Helper()
	if text == "" {
		text = "web"
	}
	j, err := inventory.ParseJump(text)
	if err != nil {
		t.Fatal(err)
	}
	return sshconfig.Question{Name: j.Host, User: j.User, Port: j.Port}
}

// theirs is what ssh has made of a configuration.
type theirs struct {
	verdict verdict
	said    string // with -v
	answer  map[string][]string
}

// askSSH has ssh log in.
func askSSH(t *testing.T, program, config string, q sshconfig.Question) theirs {
	t.Helper()
	argv := []string{"-F", config}
	if q.User != "" {
		argv = append(argv, "-l", q.User)
	}
	if q.Port != 0 {
		argv = append(argv, "-p", strconv.Itoa(q.Port))
	}
	if q.Jump != "" {
		argv = append(argv, "-J", q.Jump)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var all theirs
	said, err := exec.CommandContext(ctx, program, slices.Concat(argv, []string{
		"-v", "-o", "BatchMode=yes", "-o", "KexAlgorithms=curve25519-sha256", // the default takes a hundred times longer
		"--", q.Name, "true",
	})...).CombinedOutput()
	if all.said, all.verdict = strings.ReplaceAll(string(said), "\r\n", "\n"), accepted; err != nil {
		all.verdict = refused
	}
	answer, _ := exec.CommandContext(ctx, program, slices.Concat(argv, []string{"-G", "--", q.Name})...).Output() // a refusal has none
	all.answer = map[string][]string{}
	for line := range strings.Lines(string(answer)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		all.answer[key] = append(all.answer[key], value)
	}
	return all
}

// compare holds fairlead's target against ssh's answer, and against what ssh tells of what it did.
func (a theirs) compare(t *testing.T, target ssh.Target) {
	t.Helper()
	for _, c := range []struct{ what, got, want string }{
		{"host", target.Address, a.one("hostname")},
		{"user", target.User, a.one("user")},
		{"port", strconv.Itoa(target.Port), a.one("port")},
		{"alias of the host key", target.HostKeyAlias, a.one("hostkeyalias")},
		{"known hosts", strings.Join(target.KnownHosts, " "), a.files("userknownhostsfile", "globalknownhostsfile")},
	} {
		if c.got != c.want {
			t.Errorf("%s: fairlead has %q, ssh %q", c.what, c.got, c.want)
		}
	}
	way := append(slices.Clone(target.Jump), target)
	for i, who := range regexp.MustCompile(`Authenticating to (\S+) as '(.*)'`).FindAllStringSubmatch(a.said, -1) {
		if i == len(way) {
			t.Fatalf("ssh logs in at more than %d places: %s", i, a.said)
		}
		if got := way[i].Address + ":" + strconv.Itoa(way[i].Port); who[1] != got || who[2] != way[i].User {
			t.Errorf("ssh logs in as %s at %s, fairlead as %s at %s", who[2], who[1], way[i].User, got)
		}
	}
	if len(target.Jump) > 0 {
		return // the rest is told of the jump hosts as well
	}
	if ran := regexp.MustCompile(`Executing proxy command: exec (.*)`).FindStringSubmatch(a.said); (ran == nil) != (target.ProxyCommand == "") || ran != nil && ran[1] != target.ProxyCommand {
		t.Errorf("ssh runs %q, fairlead %q", ran, target.ProxyCommand)
	}
	var files []string
	for _, line := range regexp.MustCompile(`(?m)identity file (.*) type -?\d+$`).FindAllStringSubmatch(a.said, -1) {
		if !strings.HasSuffix(line[1], "-cert") { // looked for beside the one before
			files = append(files, line[1])
		}
	}
	if strings.Contains(a.said, "identity file") && !slices.Equal(files, target.IdentityFiles) {
		t.Errorf("ssh has the identity files %q, fairlead %q", files, target.IdentityFiles)
	}
}

// one is the one value of a key.
func (a theirs) one(key string) string { return strings.Join(a.answer[key], "; ") }

// files are the files of some keys that there are.
func (a theirs) files(keys ...string) string {
	var all []string
	for _, key := range keys {
		if files := a.one(key); files != "none" && files != "" {
			all = append(all, files)
		}
	}
	return strings.Join(all, " ")
}

// fairlead logs in, and returns the target where there is one.
func (b *sshBench) fairlead(t *testing.T, config string, q sshconfig.Question) (*ssh.Target, error) {
	t.Helper()
	where := targets{sshconfig.New(sshconfig.Options{Config: config})}
	host := inventory.Host{Name: "w1", Address: netip.MustParseAddr("192.0.2.1"), SSH: inventory.SSH{Address: q.Name, User: q.User, Port: q.Port}}
	switch q.Jump {
	case "":
	case "none":
		host.SSH.Jump = []string{}
	default:
		host.SSH.Jump = strings.Split(q.Jump, ",")
	}
	target, notes, err := where.of(t.Context(), host)
	if err != nil {
		return nil, err
	}
	const patience = time.Minute // sshd may be slow when the machine has much else to do
	dialer := ssh.NewDialer(ssh.Options{DialTimeout: patience, LoginTimeout: patience})
	connection, err := dialer.Dial(t.Context(), target)
	if err == nil {
		err = connection.Close()
	}
	if closeErr := dialer.Close(); closeErr != nil {
		t.Error(closeErr)
	}
	return &target, notes.note(err)
}
