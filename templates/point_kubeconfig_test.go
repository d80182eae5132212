package templates

import (
	"strings"
	"testing"
)

// The one line with the server changes, and nothing else of the file. One that names none, or several, stays.
func TestPointKubeconfig(t *testing.T) {
	const path, url = "/etc/kubernetes/kubelet.conf", `https://a&b\1:6443`
	for before, after := range map[string]string{
		"clusters:\n- cluster:\n    server: https://192.0.2.11:6443\n  name: x\nusers:\n- name: server\n": "clusters:\n- cluster:\n    server: " + url + "\n  name: x\nusers:\n- name: server\n",
		"- server: \"https://a\"\n": "- server: " + url + "\n",
		"server: a\nserver: b\n":    "",
		"users: []\n":               "",
	} {
		s := newHost(t, nil)
		s.put(path, before)
		transcript, ok := s.onHost(ScriptPointKubeconfig.Text(), path, url)
		want := after
		if want == "" {
			want = before
		}
		if ok != (after != "") || !ok && !strings.Contains(transcript, "want one") {
			t.Errorf("with %q: %v\n%s", before, ok, transcript)
		}
		s.wantText(path, want)
		s.wantGone(path + ".fairlead-new")
	}
}
