package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead/provision"
	"fairlead/provision/etcd"
	"fairlead/provision/plan"
)

func exampleLoss() plan.Loss {
	return plan.Loss{Survivor: "cp1", Voters: 3, Members: []string{"cp2", "cp3"}, Revision: 1234}
}

// Both questions have to be answered, each with its own word.
func TestAskLoss(t *testing.T) {
	for answers, agreed := range map[string]bool{
		"lab\ncp2,cp3\n": true, "lab\n": false, "lab\nlab\n": false, "cp2,cp3\nlab\n": false, "lab\ncp2\n": false, "lab\ny\n": false, "": false,
	} {
		var stderr bytes.Buffer
		r := &invocation{program: &program{stdin: byLine{strings.NewReader(answers)}, stderr: &stderr}, cluster: exampleCluster()}
		if err := r.askLoss(t.Context(), exampleLoss()); (err == nil) != agreed || err != nil && !errors.Is(err, errDeclined) {
			t.Errorf("%q: %v", answers, err)
		}
		if agreed {
			golden(t, "etcd-recover-questions.txt", stderr.Bytes())
		}
	}
}

// byLine gives one byte at a time up to the end of a line, as a terminal gives one line.
type byLine struct{ from io.Reader }

func (b byLine) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if _, err = io.ReadFull(b.from, p[n:n+1]); err != nil {
			return n, io.EOF
		}
		n++
		if p[n-1] == '\n' {
			return n, nil
		}
	}
	return n, nil
}

func TestAgreedOnTheCommandLine(t *testing.T) {
	r := &invocation{cluster: exampleCluster()}
	for answers, agreed := range map[[2]string]bool{
		{"lab", "cp2,cp3"}: true, {"lab", "cp3,cp2"}: true, {"lab", "cp2"}: false, {"lab", "cp1,cp2,cp3"}: false, {"prod", "cp2,cp3"}: false, {"", ""}: false,
	} {
		if err := r.agreed(exampleLoss(), answers[0], answers[1]); (err == nil) != agreed {
			t.Errorf("%v: %v", answers, err)
		}
	}
}

// A file is there when all of it is, for its owner alone; else nothing is.
func TestReplaceBy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lab.db")
	broken := errors.New("cut off")
	err := replaceBy(path, forOwner, func(w io.Writer) error { _, _ = io.WriteString(w, "half"); return broken })
	if _, missing := os.Stat(path); !errors.Is(err, broken) || !os.IsNotExist(missing) {
		t.Errorf("%v, %v", err, missing)
	}
	for _, want := range []string{"whole", "another"} {
		if err := replaceBy(path, forOwner, func(w io.Writer) error { _, err := io.WriteString(w, want); return err }); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		info, _ := os.Stat(path)
		if err != nil || string(text) != want || info.Mode().Perm() != 0o600 {
			t.Errorf("%q, %v, %v", text, info.Mode(), err)
		}
	}
	if all, err := os.ReadDir(filepath.Dir(path)); err != nil || len(all) != 1 {
		t.Errorf("left: %v, %v", all, err)
	}
}

func TestEtcdTable(t *testing.T) {
	member := func(name string, change func(*provision.EtcdMember)) provision.EtcdMember {
		m := provision.EtcdMember{Host: name, Seen: etcd.Seen{
			Member: etcd.Member{ID: "42", Name: name, PeerURLs: []string{"https://192.0.2.11:2380"}}, Listens: true, Healthy: true,
			Status: &etcd.Status{Version: "3.7.3", StorageVersion: "3.7.0", Revision: 1234, Size: 20 << 20, InUse: 5 << 20},
		}}
		change(&m)
		return m
	}
	found := provision.Etcd{Via: "cp1", Members: []provision.EtcdMember{
		member("cp1", func(m *provision.EtcdMember) { m.Lead = true }),
		member("cp2", func(m *provision.EtcdMember) { m.Healthy, m.Status.Alarms = false, []string{"NOSPACE"} }),
		member("cp3", func(m *provision.EtcdMember) { m.Healthy, m.Listens, m.Status = false, false, nil }),
		member("", func(m *provision.EtcdMember) { m.Learner, m.Healthy, m.Listens, m.Status = true, false, false, nil }),
	}}
	text, err := etcdDocument(found)
	if err != nil {
		t.Fatal(err)
	}
	found.NoQuorum = true
	golden(t, "etcd-status.txt", append(etcdTable(found), text...))
}
