package main

import (
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"fairlead/provision/remote/remotetest"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"
)

// testKey is the key of a script's test among its values.
type testKey struct{}

// sshdCommand starts an sshd that lets the current user in: sshd NAME [LINE OF ITS CONFIGURATION]... It sets $ADDRESS, the ssh.address of all
// of them, $USER, $REFUSING_PORT, at which nobody listens, $NAME_PORT, $NAME_IDENTITY, $NAME_KEY ("type base64"), $NAME_PRINT ("SHA256:…"), and $NAME_FOLDER, which
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
	key := server.HostKeys["ed25519"]
	folder := filepath.Dir(server.Identity)
	for variable, value := range map[string]string{
		"ADDRESS": "127.0.0.1", "USER": u.Username, "REFUSING_PORT": strconv.Itoa(remotetest.RefusingPort(t)), name + "_PORT": strconv.Itoa(server.Port), name + "_IDENTITY": server.Identity,
		name + "_KEY": remotetest.KeyText(key), name + "_PRINT": ssh.FingerprintSHA256(key), name + "_FOLDER": folder,
	} {
		ts.Setenv(variable, value)
	}
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
