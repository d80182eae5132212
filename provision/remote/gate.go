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
// input goes to a login shell that reads it, and a command that is given up before it was told to begin never begins. What goes
// out before that is sudo's password alone, when sudo asks by the prompt.
type gate struct {
	mark, prompt string
	open         chan struct{} // closed when both marks have come
	asked        chan string   // gets the number of each process that asks for a password

	mu     sync.Mutex
	marks  []*stream // where they came
	group  string    // the command's process group
	passed bool
	shutUp bool
}

// newGate makes a gate with a word of its own, which nobody can have printed before.
func newGate() *gate {
	word := rand.Text()
	return &gate{
		mark: "fairlead-start-" + word, prompt: "fairlead-password-" + word,
		open: make(chan struct{}), asked: make(chan string, 2), // to a third one there is no answer either
	}
}

// longest is the longest line that may be a mark.
func (g *gate) longest() int {
	return max(len(g.mark), len(g.prompt)) + len(" 18446744073709551615\r")
}

// number reads a line that is a word of ours with a number, and nothing else: a shell that prints what it runs prints the word in other
// lines. The number is missing where the host has none.
func (g *gate) number(line []byte, word string) (string, bool) {
	rest, ok := bytes.CutPrefix(bytes.TrimSuffix(line, []byte("\r")), []byte(word))
	number := strings.TrimPrefix(string(rest), " ")
	return number, ok && len(line) <= g.longest() && strings.Trim(number, "0123456789") == ""
}

// found tells whether a line of an output is a mark, and notes that: it has the command's process group. A prompt is noted, too.
func (g *gate) found(line []byte, on *stream) bool {
	if process, ok := g.number(line, g.prompt); ok && process != "" {
		select {
		case g.asked <- process:
		default:
		}
	}
	group, ok := g.number(line, g.mark)
	if !ok {
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
