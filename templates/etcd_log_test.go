package templates

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

const etcdLog = "/var/lib/etcd/member/wal/0000000000000000-0000000000000000.wal"

// walRecord is a record of a kind as etcd writes it: its length with that of the padding, the field of the kind, the sum, data.
func walRecord(kind byte, data int) []byte {
	record := append([]byte{0x08, kind, 0x10, 0x2a, 0x1a, byte(data)}, bytes.Repeat([]byte{0xff}, data)...)
	length := uint64(len(record)) //nolint:gosec // short
	if padding := (8 - len(record)%8) % 8; padding > 0 {
		length |= uint64(0x80|padding) << 56 //nolint:gosec // below 8
		record = append(record, make([]byte, padding)...)
	}
	return append(binary.LittleEndian.AppendUint64(nil, length), record...)
}

// madeWAL is a log as etcd makes it, with what comes after that.
func madeWAL(more ...[]byte) string {
	made := [][]byte{walRecord(4, 0), walRecord(1, 19), walRecord(5, 4)}
	return string(bytes.Join(append(made, more...), nil))
}

// zeros are what a log is preallocated with.
var zeros = strings.Repeat("\x00", 1<<16)

// A log that holds an entry, a vote, or what is not understood, is one that etcd has begun.
func TestEtcdUnbegun(t *testing.T) {
	for name, c := range map[string]struct {
		log     string
		beside  string
		unbegun bool
	}{
		"as made":          {log: madeWAL() + zeros, unbegun: true},
		"with a sum":       {log: madeWAL(walRecord(4, 0)) + zeros, unbegun: true},
		"an entry":         {log: madeWAL(walRecord(2, 40)) + zeros},
		"a vote":           {log: madeWAL(walRecord(3, 6)) + zeros},
		"an entry later":   {log: madeWAL(walRecord(4, 0), walRecord(3, 5), walRecord(2, 9)) + zeros},
		"of another kind":  {log: madeWAL(walRecord(6, 2)) + zeros},
		"zeros":            {log: zeros},
		"zeros in between": {log: madeWAL(walRecord(4, 0)[:8]) + zeros},
		"cut":              {log: madeWAL()},
		"cut in a length":  {log: madeWAL() + "\x20"},
		"long":             {log: madeWAL() + "\x00\x00\x01\x00\x00\x00\x00\x00" + zeros},
		"empty":            {},
		"text":             {log: strings.Repeat("no log at all\n", 1000)},
		"a later log":      {log: madeWAL() + zeros, beside: "/var/lib/etcd/member/wal/0000000000000001-0000000000000005.wal"},
		"a snapshot":       {log: madeWAL() + zeros, beside: "/var/lib/etcd/member/snap/0000000000000002-0000000000000005.snap"},
		"a snapshot of db": {log: madeWAL() + zeros, beside: "/var/lib/etcd/member/snap/0000000000000005.snap.db"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newHost(t, nil)
			s.put(etcdLog, c.log)
			s.put("/var/lib/etcd/member/snap/db", "as it comes")
			s.put("/var/lib/etcd/member/wal/0.tmp", zeros)
			if c.beside != "" {
				s.put(c.beside, "")
			}
			said := s.probePart("cluster")
			if is := strings.Contains(said, "| etcd-unbegun\tyes\n"); is != c.unbegun {
				t.Errorf("unbegun: %v, want %v:\n%s", is, c.unbegun, said)
			}
			s.onHost(ScriptBeginEtcd.Text())
			if c.unbegun {
				s.wantGone("/var/lib/etcd/member", "/var/lib/etcd/fairlead-unbegun")
			} else {
				s.wantText(etcdLog, c.log)
			}
		})
	}
	s := newHost(t, nil)
	s.wantFacts("cluster")
	s.wantRun("", ScriptBeginEtcd.Text())
}

// holding is a process that has the log open, as the host's /proc shows it.
func (s *standIns) holding(log string) *exec.Cmd {
	s.t.Helper()
	process := exec.CommandContext(s.t.Context(), "cat")
	input, err := process.StdinPipe()
	if err == nil {
		err = process.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = input.Close(); _ = process.Wait() })
	pid := strconv.Itoa(process.Process.Pid)
	s.hide = append(s.hide, pid, "PID")
	s.mkdir("/proc/" + pid + "/fd")
	if err := os.Symlink(log, s.at("/proc/"+pid+"/fd/7")); err != nil {
		s.t.Fatal(err)
	}
	return process
}

// The etcd of that log ends, and no other one: not that of a log that was written to, and not one that has a file of that name.
func TestEtcdBeginsAnew(t *testing.T) {
	for name, unbegun := range map[string]bool{"unbegun": true, "begun": false} {
		t.Run(name, func(t *testing.T) {
			s := newHost(t, nil)
			text := madeWAL() + zeros
			if !unbegun {
				text = madeWAL(walRecord(2, 9)) + zeros
			}
			s.put(etcdLog, text)
			s.put("/var/lib/docker/0000000000000000-0000000000000000.wal", text)
			own, other := s.holding(s.at(etcdLog)), s.holding(s.at("/var/lib/docker/0000000000000000-0000000000000000.wal"))
			want := ""
			if unbegun {
				want = "| the log of etcd held no entry, and etcd begins anew\n"
			}
			if is, ok := s.onHost(ScriptBeginEtcd.Text()); !ok || !strings.HasSuffix(is, want) {
				t.Fatalf("it said %q", is)
			}
			if unbegun {
				if err := own.Wait(); err == nil || err.Error() != "signal: killed" {
					t.Errorf("its etcd ended with %v", err)
				}
			} else {
				wantRunning(t, own)
			}
			wantRunning(t, other)
		})
	}
}

// wantRunning fails the test if a process was stopped or has ended.
func wantRunning(t *testing.T, process *exec.Cmd) {
	t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(process.Process.Pid) + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ") // a letter of proc(5) comes next
	if strings.HasPrefix(rest, "T") || strings.HasPrefix(rest, "Z") {
		t.Errorf("the process is in the state %s", rest[:1])
	}
}
