package fleet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead/inventory"

	"golang.org/x/crypto/ssh"
)

// serving starts a server that answers as n hosts of the loopback network, each on a port of
// its own. It returns their addresses with their ports.
func serving(t *testing.T, n int) (Files, []netip.AddrPort) {
	t.Helper()
	files := Files(t.TempDir())
	if err := files.WriteKeys(); err != nil {
		t.Fatal(err)
	}
	server, err := NewServer(files)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var hosts []netip.AddrPort
	ended := make(chan error, n)
	for _, address := range Hosts(netip.MustParsePrefix("127.1.0.0/17"), n) {
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp4", netip.AddrPortFrom(address, 0).String())
		if err != nil {
			t.Fatal(err)
		}
		hosts = append(hosts, netip.MustParseAddrPort(listener.Addr().String()))
		go func() { ended <- server.Serve(ctx, listener) }()
	}
	t.Cleanup(func() {
		cancel()
		for range n {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
	return files, hosts
}

// probeLine and probeInput are the probe as a shell gets it, in short.
const (
	probeLine  = `/bin/sh -c 'eval ...' sh 'echo "fairlead-start-AZ27 $fl_g"; echo "fairlead-start-AZ27 $fl_g" >&2; set -- - /etc/a; eval "$fl_s"'`
	probeInput = "begin\nuid\nfact end\n\n#fairlead-start-AZ27\n"
)

// client is one that knows the hosts' key and has the key to log in.
func client(t *testing.T, files Files, at netip.AddrPort) asker {
	t.Helper()
	if err := files.WriteCluster([]netip.Addr{at.Addr()}); err != nil {
		t.Fatal(err)
	}
	_, keys, err := readKnown(files.known(1))
	if err != nil {
		t.Fatal(err)
	}
	signer, err := readSigner(files.identity())
	if err != nil {
		t.Fatal(err)
	}
	return asker{signer: signer, keys: keys, line: probeLine, input: []byte(probeInput)}
}

func (a asker) one(t *testing.T, at netip.AddrPort) error {
	return a.all(t.Context(), []string{at.Addr().String()}, fmt.Sprint(at.Port()), 1)
}

// run runs a command on a host, beside the limit.
func (a asker) run(t *testing.T, at netip.AddrPort, line, input string) (stdout, stderr string, err error) {
	t.Helper()
	connection, err := a.connect(t.Context(), at.Addr().String(), fmt.Sprint(at.Port()))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	session, err := connection.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	var out, errors strings.Builder
	session.Stdin, session.Stdout, session.Stderr = strings.NewReader(input), &out, &errors
	err = session.Run(line)
	return out.String(), errors.String(), err
}

func TestHostsKnowTheProbeOnly(t *testing.T) {
	files, at := serving(t, 1)
	a := client(t, files, at[0])
	for name, command := range map[string][2]string{
		"a program":      {"exec uname -a", ""},
		"another script": {`eval "$fl_s"`, "begin\nrm -r /\n\n#\n"},
		"no shell":       {"exec cat", "begin\nuid\nfact end\n\n#\n"},
		"not begun":      {`eval "$fl_s"`, "uid\nfact end\n\n#\n"},
		"cut off":        {`eval "$fl_s"`, "begin\nuid\nfact end\n"},
	} {
		out, said, err := a.run(t, at[0], command[0], command[1])
		var exit *ssh.ExitError
		if !errors.As(err, &exit) || exit.ExitStatus() != 127 || out != "" || said != "this host knows the probe only\n" {
			t.Errorf("%s: got %q and %q, %v", name, out, said, err)
		}
	}
}

// A shell would print fairlead's mark on both outputs, before all else.
func TestMarkComesFirst(t *testing.T) {
	files, at := serving(t, 1)
	out, said, err := client(t, files, at[0]).run(t, at[0], probeLine, probeInput)
	if err != nil || !strings.HasPrefix(out, "fairlead-start-AZ27 4242\nuid\t0\n") || !strings.HasSuffix(out, "\nend\n") || said != "fairlead-start-AZ27 4242\n" {
		t.Errorf("got %q and %q, %v", out, said, err)
	}
	noted, err := os.ReadFile(files.line())
	if err != nil || string(noted) != probeLine {
		t.Errorf("noted is %q, %v", noted, err)
	}
	if noted, err = os.ReadFile(files.input()); err != nil || string(noted) != probeInput {
		t.Errorf("noted is the input %q, %v", noted, err)
	}
}

// Each host has a name, an address and a machine ID of its own, and no mark stays.
func TestAnswersDiffer(t *testing.T) {
	files, at := serving(t, 2)
	for i, own := range []string{"127-1-0-1 127.1.0.1 00000000000000000000ffff7f010001", "127-1-0-2 127.1.0.2 00000000000000000000ffff7f010002"} {
		out, _, err := client(t, files, at[i]).run(t, at[i], probeLine, probeInput)
		if err != nil {
			t.Fatal(err)
		}
		words := strings.Fields(own)
		for _, want := range []string{"hostname\thost-" + words[0] + "\n", "address\teth0\t" + words[1] + "/17\n", "machine-id\t" + words[2] + "\n"} {
			if !strings.Contains(out, want) {
				t.Errorf("no %q in:\n%s", want, out)
			}
		}
		if strings.Contains(out, "@") {
			t.Errorf("marks are in:\n%s", out)
		}
	}
}

// The probe of today prints every fact that was recorded; else record it anew.
func TestRecordedFacts(t *testing.T) {
	parts, err := filepath.Glob("../../templates/scripts/probe*.sh")
	if err != nil {
		t.Fatal(err)
	}
	var probe strings.Builder
	for _, part := range parts {
		text, err := os.ReadFile(part)
		if err != nil {
			t.Fatal(err)
		}
		probe.Write(text)
	}
	for line := range strings.Lines(recorded) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if !strings.Contains(probe.String(), "fact "+name) && !strings.Contains(probe.String(), `"`+name+`"`) {
			t.Errorf("the probe knows no %s", name)
		}
	}
}

func TestOthersMayNotLogIn(t *testing.T) {
	files, at := serving(t, 1)
	other := Files(t.TempDir())
	if err := other.WriteKeys(); err != nil {
		t.Fatal(err)
	}
	a := client(t, files, at[0])
	var err error
	if a.signer, err = readSigner(other.identity()); err != nil {
		t.Fatal(err)
	}
	if err := a.one(t, at[0]); err == nil || !strings.Contains(err.Error(), "unable to authenticate") {
		t.Errorf("login with another key: %v", err)
	}
}

// The limit takes neither another host's key nor another answer.
func TestAsk(t *testing.T) {
	files, at := serving(t, 1)
	good := client(t, files, at[0])
	if err := good.one(t, at[0]); err != nil {
		t.Error(err)
	}
	stranger, command := good, good
	stranger.keys = map[string][]byte{"127.1.0.1": []byte("other")}
	if err := stranger.one(t, at[0]); err == nil || err.Error() != "ask 127.1.0.1: ssh: handshake failed: the host shows another key" {
		t.Errorf("another host key: %v", err)
	}
	command.line = "uname"
	if err := command.one(t, at[0]); err == nil || !strings.Contains(err.Error(), "status 127") {
		t.Errorf("another command: %v", err)
	}
}

func TestHalfAnAnswer(t *testing.T) {
	for answer, want := range map[string]string{
		"uid\t0\nend\n": "<nil>", "uid\t0\nen": "the answer ends early, after 8 bytes", "": "the answer ends early, after 0 bytes",
	} {
		if err := whole([]byte(answer)); fmt.Sprint(err) != want {
			t.Errorf("%q: %v, want %s", answer, err, want)
		}
	}
}

// The hosts in the files are those that the network has, and fairlead can read them.
func TestClusterFile(t *testing.T) {
	files := Files(t.TempDir())
	if err := files.WriteKeys(); err != nil {
		t.Fatal(err)
	}
	network := Network{Subnet: netip.MustParsePrefix("198.18.0.0/16")}
	const n = 300
	if err := files.WriteCluster(Hosts(network.Hosts(), n)); err != nil {
		t.Fatal(err)
	}
	cluster, _, err := inventory.Load(files.Cluster(n))
	if err != nil {
		t.Fatal(err)
	}
	hosts := cluster.Hosts()
	names, keys, err := readKnown(files.known(n))
	if err != nil || len(hosts) != n || len(names) != n || len(keys) != n || len(cluster.ControlPlane.Hosts) != 1 {
		t.Fatalf("%d hosts, %d names, %d keys, %d control planes, %v", len(hosts), len(names), len(keys), len(cluster.ControlPlane.Hosts), err)
	}
	last := hosts[n-1]
	if last.Name != "host-198-18-1-44" || last.Address.String() != "198.18.1.44" || names[n-1] != "198.18.1.44" || last.SSH.KnownHosts != files.known(n) {
		t.Errorf("the last host is %+v, known as %s", last, names[n-1])
	}
}

// withIP puts a program named ip first on PATH, which notes its arguments and fails at a word.
func withIP(t *testing.T, failAt string) (calls func() string) {
	t.Helper()
	dir := t.TempDir()
	script := "#!/bin/sh\necho \"$*\" >>" + dir + "/calls\ncase \" $* \" in *\" " + failAt + " \"*) echo no such luck; exit 2 ;; esac\n"
	if err := os.WriteFile(filepath.Join(dir, "ip"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return func() string {
		text, err := os.ReadFile(filepath.Join(dir, "calls"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
}

func TestNetworkCommands(t *testing.T) {
	calls := withIP(t, "nothing")
	n := Network{Name: "fl-test", Subnet: netip.MustParsePrefix("198.19.0.0/16")}
	for _, words := range n.commands() {
		if err := ip(t.Context(), words); err != nil {
			t.Fatal(err)
		}
	}
	const want = `netns add fl-test
link add fl-test0 type veth peer name fl-test1 netns fl-test
-n fl-test link set lo up
-n fl-test addr add 198.19.255.254/30 dev fl-test1
-n fl-test link set fl-test1 up
-n fl-test route add local 198.19.0.0/17 dev lo
addr add 198.19.255.253/30 dev fl-test0
link set fl-test0 up
route add 198.19.0.0/17 via 198.19.255.254
`
	if got := calls(); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
	err := ip(t.Context(), "netns nothing x")
	if err == nil || err.Error() != "run ip netns nothing x: exit status 2: no such luck" {
		t.Errorf("error is %v", err)
	}
}

func TestNetworkThatCannotBe(t *testing.T) {
	calls := withIP(t, "add")
	for subnet, want := range map[string]string{"198.19.0.0/24": "is not an IPv4 network of 16 bits", "fd00::/16": "is not an IPv4 network"} {
		n := Network{Name: "fl-test", Subnet: netip.MustParsePrefix(subnet)}
		if err := n.Up(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", subnet, err)
		}
	}
	n := Network{Name: "fl-test", Subnet: netip.MustParsePrefix("198.19.0.0/16")}
	want := "make network fl-test: run ip netns add fl-test: exit status 2: no such luck"
	if os.Geteuid() != 0 {
		want = "be root"
	}
	if err := n.Up(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error is %v, want %q", err, want)
	}
	if os.Geteuid() == 0 && calls() != "netns add fl-test\n" {
		t.Errorf("it went on:\n%s", calls())
	}
}
