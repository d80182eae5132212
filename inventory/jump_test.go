package inventory

import (
	"os/exec"
	"strings"
	"testing"
)

func TestParseJump(t *testing.T) {
	for text, want := range map[string]JumpHost{
		"b":                        {Host: "b"},
		"a@b":                      {User: "a", Host: "b"},
		"a@b:22":                   {User: "a", Host: "b", Port: 22},
		"a@x@b.lab.example:65535":  {User: "a@x", Host: "b.lab.example", Port: 65535},
		"192.0.2.1":                {Host: "192.0.2.1"},
		"[fd00::1]":                {Host: "fd00::1"},
		"a@[fd00::1]:2222":         {User: "a", Host: "fd00::1", Port: 2222},
		"[fe80::1%eth0]:22":        {Host: "fe80::1%eth0", Port: 22},
		"ssh://b":                  {Host: "b"},
		"ssh://a%40x@b:2222/":      {User: "a@x", Host: "b", Port: 2222},
		"ssh://a@[fd00::1]:2222":   {User: "a", Host: "fd00::1", Port: 2222},
		"DOM+user_1@my_alias-1.x.": {User: "DOM+user_1", Host: "my_alias-1.x."},
	} {
		got, err := ParseJump(text)
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
		if again, err := ParseJump(got.String()); err != nil || again != got {
			t.Errorf("%s: as %s it is %+v, %v", text, got, again, err)
		}
	}
}

// What is taken here ssh takes as well, and what ssh refuses is refused here.
func TestParseJumpAsSSH(t *testing.T) {
	ssh, err := exec.LookPath("ssh")
	if err != nil {
		t.Logf("not compared with ssh: %v", err)
		return
	}
	for _, text := range []string{
		"b", "a@b", "a@b:22", "a@x@b:22", "[fd00::1]", "[fd00::1]:22", "ssh://a@b:22", "ssh://a@b/", "b.", "a_b", "192.0.2.1:1",
		"", "@b", "a@", "a@:22", "b:0", "b:65536", "b:x", "b:", "fd00::1", "fd00::1:22", "[fd00::1", "ssh://", "ssh://b/x", "-b",
	} {
		out, err := exec.CommandContext(t.Context(), ssh, "-F", "none", "-G", "-J", text, "host").CombinedOutput()
		if err != nil && !strings.Contains(string(out), "nvalid") {
			t.Fatalf("%s: %v: %s", text, err, out)
		}
		if _, own := ParseJump(text); own == nil && err != nil {
			t.Errorf("%q: ssh says %s", text, out)
		}
	}
}
