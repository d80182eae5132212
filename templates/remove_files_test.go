package templates

import (
	"strings"
	"testing"
)

// What is fairlead's goes, and with it the folders that fairlead made and that are empty now.
func TestRemoveFiles(t *testing.T) {
	s := newHost(t, map[string]string{"flock": ""})
	for _, path := range []string{"/etc/a/one", "/etc/a/two", "/etc/b/one", "/etc/b/theirs", "/etc/c/d/one", "/etc/e f/one", "/etc/g/one"} {
		s.put(path, "")
	}
	s.mkdir("/etc/gone")
	s.putLedger("dir /etc/a absent\ndir /etc/b absent\ndir /etc/c/d absent\ndir /etc/gone absent\n" + `dir /etc/e\040f absent` + "\nfile /etc/a/one absent\n")
	s.wantRun("flock 9\n", ScriptRemoveFiles.Text(), "/etc/a/one", "/etc/a/two", "/etc/b/one", "/etc/c/d/one", "/etc/e f/one", "/etc/g/one", "/etc/gone/one", "/etc/never/one")
	s.wantGone("/etc/a", "/etc/b/one", "/etc/c/d", "/etc/e f", "/etc/g/one", "/etc/gone", "/var/lib/fairlead/ledger.new")
	s.wantThere("/etc/b/theirs", "/etc/c", "/etc/g")
	s.wantLedger("dir /etc/b absent\n")
	s.mkdir("/etc/h/folder")
	transcript, ok := s.onHost(ScriptRemoveFiles.Text(), "/etc/h/folder")
	if ok || !strings.Contains(transcript, "/etc/h/folder") {
		t.Errorf("it did\n%s", transcript)
	}
	s.wantThere("/etc/h/folder")
}

// Without a ledger nothing comes back, and no folder is known for fairlead's.
func TestRemoveFilesWithoutALedger(t *testing.T) {
	s := newHost(t, nil)
	s.put("/etc/a/one", "")
	s.wantRun("", ScriptRemoveFiles.Text(), "/etc/a/one")
	s.wantGone("/etc/a/one", "/var/lib/fairlead/ledger")
	s.wantThere("/etc/a")
}

// A file that was there before fairlead comes back in the place of fairlead's, with its mode, whole or not at all.
func TestRemoveFilesRestores(t *testing.T) {
	const path, name = "/etc/containerd/certs.d/a b/hosts.toml", `/etc/containerd/certs.d/a\040b/hosts.toml`
	for title, c := range map[string]struct {
		saved, sums string
		form1       bool
		refused     string
	}{
		"saved":              {saved: "theirs\n", sums: sumsOf("theirs\n")},
		"a cut copy":         {saved: "the", sums: sumsOf("theirs\n"), refused: "is lost or damaged"},
		"another copy":       {saved: "Theirs\n", sums: sumsOf("theirs\n"), refused: "is lost or damaged"},
		"a lost copy":        {sums: sumsOf("theirs\n"), refused: "is lost or damaged"},
		"of the former form": {saved: "theirs\n", form1: true},
	} {
		t.Run(title, func(t *testing.T) {
			s := newHost(t, map[string]string{"flock": ""})
			path, name := path, name
			if c.form1 {
				path, name = "/etc/hosts.toml", "/etc/hosts.toml"
			}
			s.put(path, "ours\n")
			s.mkdir("/var/lib/fairlead/saved")
			if c.saved != "" {
				s.put("/var/lib/fairlead/saved/"+s.savedName(path), c.saved)
				s.chmod("/var/lib/fairlead/saved/"+s.savedName(path), 0o640)
			}
			entry := "file " + name + " saved " + s.savedName(path)
			if c.form1 {
				s.put("/var/lib/fairlead/ledger", entry+"\nfile /etc/other absent\n")
			} else {
				s.putLedger(entry + " " + c.sums + "\nfile /etc/other absent\n")
			}
			transcript, ok := s.onHost(ScriptRemoveFiles.Text(), path)
			if ok != (c.refused == "") || !strings.Contains(transcript, c.refused) {
				t.Errorf("it did\n%s", transcript)
			}
			if !ok {
				s.wantText(path, "ours\n")
				return
			}
			s.wantText(path, "theirs\n")
			s.wantMode(path, 0o640)
			// It is nothing of fairlead's any more: what its owner makes of it from now on stays.
			s.wantLedger("file /etc/other absent\n")
			s.wantGone(path+".fairlead-old", "/var/lib/fairlead/ledger.new", "/var/lib/fairlead/saved/"+s.savedName(path))
		})
	}
}
