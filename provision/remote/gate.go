package remote

import (
	"bytes"
	"crypto/rand"
	"slices"
	"strings"
	"sync"
)

// gate is how a process begins. Its first words print a mark on both outputs and read a line of input. What was heard before
// the marks is the talk of login shells and sudo; and only when both have come is the line sent, and the input after it. So no
// input goes to a login shell that reads it, and a command that is given up before it was told to begin never begins.
type gate struct {
	mark string
	open chan struct{} // closed when both marks have come

	mu     sync.Mutex
	marks  []*stream // where they came
	group  string    // the command's process group
	passed bool
	shutUp bool
}

// newGate makes a gate with a word of its own, which nobody can have printed before.
func newGate() *gate {
	return &gate{mark: "fairlead-start-" + rand.Text(), open: make(chan struct{})}
}

// longest is the longest line that may be a mark.
func (g *gate) longest() int { return len(g.mark) + len(" 18446744073709551615\r") }

// found tells whether a line of an output is a mark, and notes it: the word and the process group, and nothing else. A shell that prints
// what it runs prints the word in other lines.
func (g *gate) found(line []byte, on *stream) bool {
	rest, ok := bytes.CutPrefix(bytes.TrimSuffix(line, []byte("\r")), []byte(g.mark))
	group := strings.TrimPrefix(string(rest), " ")
	if !ok || len(line) > g.longest() || strings.Trim(group, "0123456789") != "" {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.group = group
	if g.marks = append(g.marks, on); len(g.marks) == 2 {
		close(g.open)
	}
	return true
}

// isOpen says that both marks have come: what is heard from now on is the command's.
func (g *gate) isOpen() bool {
	select {
	case <-g.open:
		return true
	default:
		return false
	}
}

// came tells whether one of the marks came on an output.
func (g *gate) came(on *stream) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Contains(g.marks, on)
}

// processGroup is the command's, once the gate is open.
func (g *gate) processGroup() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.group
}

// pass asks whether the command may be told to begin.
func (g *gate) pass() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.passed = !g.shutUp
	return g.passed
}

// shut has the command not begin any more, and reports false when it may have begun.
func (g *gate) shut() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shutUp = !g.passed
	return g.shutUp
}
