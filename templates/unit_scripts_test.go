package templates

import "testing"

func TestStartUnit(t *testing.T) {
	const enabled = "systemctl daemon-reload\nsystemctl enable --quiet a.service\n"
	for name, c := range map[string]struct {
		fails string // the start of a command of systemctl that fails
		args  []string
		want  string
		ok    bool
	}{
		"enable":             {args: []string{"a.service"}, want: enabled, ok: true},
		"start":              {args: []string{"a.service", "start"}, want: enabled + "systemctl start a.service\n", ok: true},
		"no reload":          {fails: "daemon-reload", args: []string{"a.service", "start"}, want: "systemctl daemon-reload\nexit status 1\n"},
		"cannot be enabled":  {fails: "enable", args: []string{"a.service", "start"}, want: enabled + "exit status 1\n"},
		"enabled is enough":  {fails: "start", args: []string{"a.service"}, want: enabled, ok: true},
		"a start that fails": {fails: "start", args: []string{"a.service", "start"}, want: enabled + "systemctl start a.service\njournalctl --no-pager --quiet -n 20 -o cat -u a.service\n| its last words\nexit status 1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newHost(t, map[string]string{"systemctl": `[ "$1" != "$(cat "$S/fails")" ]`, "journalctl": "echo its last words"})
			s.write("fails", c.fails)
			if c.ok {
				s.wantRun(c.want, ScriptStartUnit.Text(), c.args...)
			} else {
				s.wantRefusal(c.want, ScriptStartUnit.Text(), c.args...)
			}
		})
	}
}

func TestStopAndRestartUnit(t *testing.T) {
	for verb, script := range map[string]string{"stop": ScriptStopUnit.Text(), "restart": ScriptRestartUnit.Text()} {
		s := newHost(t, map[string]string{"systemctl": "! once refuse"})
		s.wantRun("systemctl "+verb+" a.service\n", script, "a.service")
		s.write("refuse", "")
		s.wantRefusal("systemctl "+verb+" a.service\nexit status 1\n", script, "a.service")
	}
}

// The registry is stopped while garbage is collected, and runs again whatever comes of it.
func TestCollectGarbage(t *testing.T) {
	const (
		stop    = "systemctl stop fairlead-registry.service\n"
		collect = "registry garbage-collect --delete-untagged --quiet /etc/fairlead/registry/writer.yaml\n"
		start   = "systemctl start fairlead-registry.service\n"
	)
	for name, c := range map[string]struct {
		systemctl, registry string
		want                string
		ok                  bool
	}{
		"well":          {want: stop + collect + start + "| traces go to none\n", ok: true},
		"failed":        {registry: "exit 3", want: stop + collect + start + "| traces go to none\nexit status 3\n"},
		"does not stop": {systemctl: "exit 4", want: stop + "exit status 4\n"},
		"cut off":       {registry: "kill -HUP $PPID", want: stop + collect + start + "| traces go to none\nexit status 1\n"},
		"ended":         {registry: "kill -TERM $PPID", want: stop + collect + start + "| traces go to none\nexit status 1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newHost(t, map[string]string{"systemctl": c.systemctl})
			s.put("/usr/local/bin/registry", standInPrelude+`echo "traces go to $OTEL_TRACES_EXPORTER"`+"\n"+c.registry+"\n")
			if c.ok {
				s.wantRun(c.want, ScriptCollectGarbage.Text())
			} else {
				s.wantRefusal(c.want, ScriptCollectGarbage.Text())
			}
		})
	}
}

// What ctr gets is the stream, whatever its version is called by.
func TestImportImages(t *testing.T) {
	const data = "a tar\x00\xff\nof images"
	for name, c := range map[string]struct {
		help, want string
		fails      string
	}{
		"containerd 1": {help: "--all-platforms", want: "ctr images import --help\nctr --namespace k8s.io images import -\n"},
		"containerd 2": {help: "   --local  run it here", want: "ctr images import --help\nctr --namespace k8s.io images import --local -\n"},
		"failed":       {want: "ctr images import --help\nctr --namespace k8s.io images import -\n| no space left\nexit status 5\n", fails: "echo no space left >&2; exit 5"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newHost(t, map[string]string{"ctr": `case $* in *--help) cat "$S/help"; exit 0 ;; esac
cat >"$S/got"
` + c.fails})
			s.write("help", c.help)
			transcript, ok := s.fed(data, ScriptImportImages.Text())
			if want := "$ \n" + c.want; transcript != want || ok != (c.fails == "") {
				t.Errorf("it went well: %v, and did\n%s\ninstead of\n%s", ok, transcript, want)
			}
			s.wantFile("got", data)
		})
	}
}

// What an image consists of is found by the labels of its blobs; what nothing refers to is not listed, as it may be collected.
func TestListBlobs(t *testing.T) {
	const images = `REF                          TYPE                                       DIGEST     SIZE    PLATFORMS   LABELS
example.test/a:1             application/vnd.oci.image.index.v1+json    sha256:a0  1.0 MiB linux/amd64 io.cri-containerd.image=managed
example.test/gone@sha256:ab  application/vnd.oci.image.manifest.v1+json sha256:ab  1.0 MiB linux/amd64 -
sha256:a2                    application/vnd.oci.image.index.v1+json    sha256:a0  1.0 MiB linux/amd64 -
`
	const content = `DIGEST		SIZE	AGE		LABELS
sha256:a0	482B	2 days		containerd.io/gc.ref.content.m.0=sha256:a1,containerd.io/gc.ref.content.m.1=sha256:e9,containerd.io/distribution.source.example.test=a
sha256:a1	482B	2 days		containerd.io/gc.ref.content.config=sha256:a2,containerd.io/gc.ref.content.l.0=sha256:a3,containerd.io/gc.ref.snapshot.overlayfs=sha256:a4
sha256:a2	1.2kB	2 days		containerd.io/distribution.source.example.test=a
sha256:a3	1.2MB	2 days		containerd.io/uncompressed=sha256:a5
sha256:a4	1.2MB	2 days		-
sha256:b0	482B	2 minutes		containerd.io/gc.ref.content.l.0=sha256:b1
sha256:b1	1.2MB	2 minutes		-
`
	const ask = "ctr --namespace k8s.io images ls\nctr --namespace k8s.io content ls\n"
	s := newHost(t, map[string]string{"ctr": `! once refuse-"$3" && cat "$S/$3"`})
	s.write("images", images)
	s.write("content", content)
	s.wantRun(ask+"| sha256:a0\n| sha256:a1\n| sha256:a2\n| sha256:a3\n", ScriptListBlobs.Text())
	s.write("images", "REF TYPE DIGEST SIZE PLATFORMS LABELS\n")
	s.wantRun(ask, ScriptListBlobs.Text())
	s.write("refuse-content", "")
	s.wantRefusal(ask+"exit status 1\n", ScriptListBlobs.Text())
	s.write("refuse-images", "")
	s.wantRefusal("ctr --namespace k8s.io images ls\nexit status 1\n", ScriptListBlobs.Text())
}
