package templates

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// framed are entries as a ledger has them: between its first line and the one that counts them.
func framed(entries string) string {
	return fmt.Sprintf("fairlead-ledger 2\n%send %d\n", entries, strings.Count(entries, "\n"))
}

// sumsOf are the words by which a ledger knows a file again: its size and its SHA-256.
func sumsOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return fmt.Sprintf("%d %s", len(content), hex.EncodeToString(sum[:]))
}

var ledgerMarks = regexp.MustCompile(`(NAME|TREE|SUMS)\(([^)]*)\)`)

// filled is a text of a ledger, in which NAME(PATH) and TREE(PATH) stand for the names under which a file and the list of a
// folder are saved, and SUMS(PATH) for the sums of what is saved so, or in a file of that name.
func (s *standIns) filled(text string) string {
	s.t.Helper()
	return ledgerMarks.ReplaceAllStringFunc(text, func(mark string) string {
		parts := ledgerMarks.FindStringSubmatch(mark)
		switch parts[1] {
		case "NAME":
			return s.savedName(parts[2])
		case "TREE":
			return s.savedName(parts[2]) + ".names"
		}
		if !strings.HasPrefix(parts[2], "/") {
			return s.sumsAt(s.path("state/saved/" + parts[2]))
		}
		for _, name := range []string{s.savedName(parts[2]), s.savedName(parts[2]) + ".names"} {
			if at := s.path("state/saved/" + name); exists(at) {
				return s.sumsAt(at)
			}
		}
		return "nothing is saved of " + parts[2]
	})
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func (s *standIns) sumsAt(path string) string {
	s.t.Helper()
	if to, err := os.Readlink(path); err == nil {
		return sumsOf(to)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		s.t.Error(err)
	}
	return sumsOf(string(content))
}

// keep saves the list of a folder, as reset finds it: names that end in NUL, sorted.
func (s *standIns) keep(folder string, names ...string) {
	s.t.Helper()
	var list strings.Builder
	for _, name := range names {
		list.WriteString(s.rooted(name) + "\x00")
	}
	s.write("state/saved/"+s.savedName(folder)+".names", list.String())
}

// putLedger writes a ledger with entries as filled makes them.
func (s *standIns) putLedger(entries string) {
	s.t.Helper()
	s.put("/var/lib/fairlead/ledger", framed(s.filled(entries)))
}

// wantLedger fails the test unless the ledger of a host has exactly these entries.
func (s *standIns) wantLedger(entries string) {
	s.t.Helper()
	s.wantText("/var/lib/fairlead/ledger", s.shown(framed(s.filled(entries))))
}

// wantLedgerFile is the same for a host without folders of its own.
func (s *standIns) wantLedgerFile(entries string) {
	s.t.Helper()
	s.wantFile("state/ledger", framed(entries))
}
