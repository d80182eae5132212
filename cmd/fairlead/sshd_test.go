package main

import (
	"io"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"fairlead/provision/remote/remotetest"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"
)

// testKey is the key of a script's test among its values.
type testKey struct{}

// sshdCommand starts an sshd that lets the current user in: sshd NAME [LINE OF ITS CONFIGURATION]... It sets $ADDRESS and $USER,
// which all have in common, $REFUSING_PORT, at which nobody listens, $NAME_PORT, $NAME_IDENTITY, $NAME_KEY ("type base64"), $NAME_PRINT ("SHA256:…"), and $NAME_FOLDER, which
// holds its key as host_ed25519.
func sshdCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: sshd NAME [LINE...]")
	}
	t, ok := ts.Value(testKey{}).(testing.TB)
	if !ok {
		ts.Fatalf("there is no test")
	}
	name := strings.ToUpper(args[0])
	server := remotetest.StartSSHD(t, args[1:]...)
	u, err := user.Current()
	ts.Check(err)
	nobody := remotetest.RefusingPortOf(t, [4]byte(net.ParseIP(ownAddress(t)).To4()))
	address, port := reachable(t, server.Port)
	key := server.HostKeys["ed25519"]
	folder := filepath.Dir(server.Identity)
	for variable, value := range map[string]string{
		"ADDRESS": address, "USER": u.Username, "REFUSING_PORT": strconv.Itoa(nobody), name + "_PORT": strconv.Itoa(port), name + "_IDENTITY": server.Identity,
		name + "_KEY": remotetest.KeyText(key), name + "_PRINT": ssh.FingerprintSHA256(key), name + "_FOLDER": folder,
	} {
		ts.Setenv(variable, value)
	}
}

// reachable makes a port of the loopback interface one of an address that a host of a cluster may have, for as long as the test
// lasts.
func reachable(t testing.TB, port int) (address string, at int) {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(ownAddress(t), "0"))
	if err != nil {
		t.Fatal(err)
	}
	var relaying sync.WaitGroup
	relaying.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			relaying.Go(func() { relay(near, port) })
		}
	})
	t.Cleanup(func() { _ = listener.Close(); relaying.Wait() })
	is := listener.Addr().(*net.TCPAddr)
	return is.IP.String(), is.Port
}

// relay passes on what is said on a connection to a port of the loopback interface, and what is answered.
func relay(near net.Conn, port int) {
	defer near.Close()
	far, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return
	}
	var asking sync.WaitGroup
	asking.Go(func() {
		_, _ = io.Copy(far, near)
		_ = far.(*net.TCPConn).CloseWrite()
	})
	_, _ = io.Copy(near, far)
	_ = near.Close()
	_ = far.Close()
	asking.Wait()
}

// ownAddress is an IPv4 address of this machine that is not of the loopback interface.
func ownAddress(t testing.TB) string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range all {
		if network, ok := address.(*net.IPNet); ok && network.IP.To4() != nil && network.IP.IsGlobalUnicast() {
			return network.IP.String()
		}
	}
	t.Fatal("this test needs an IPv4 address beside that of the loopback interface")
	return ""
}

// envsubst puts environment variables into files: envsubst FILE...
func envsubst(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: envsubst FILE...")
	}
	for _, file := range args {
		text := os.Expand(ts.ReadFile(file), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(text), 0o600))
	}
}
