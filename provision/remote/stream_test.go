package remote

import (
	"cmp"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// heard is a process's two outputs, and what became of what was said on them.
type heard struct {
	*execution
	lines []string
	ended error // why it was ended
}

func listen(c Command) *heard {
	h := &heard{}
	if c.OnLine == nil {
		c.OnLine = func(l string) { h.lines = append(h.lines, l) }
	}
	h.execution = newExecution(c, func(cause error) { h.ended = cmp.Or(h.ended, cause) })
	return h
}

// TestStream hands output to a stream in pieces of each size: the mark is found wherever they are cut.
func TestStream(t *testing.T) {
	const noise = "welcome\nfairlead-start-? not yet "
	for size := 1; size <= 100; size++ {
		h := listen(Command{})
		mark := h.gate.mark
		_, _ = io.WriteString(h.stdout, mark+" 4711\n")
		output := noise + "\n" + mark + " 4711\nfirst\r\n\nsecond\nrest"
		for piece := range slices.Chunk([]byte(output), size) {
			if n, err := h.stderr.Write(piece); n != len(piece) || err != nil {
				t.Fatal(n, err)
			}
		}
		if text := h.stderr.finish(); !h.gate.isOpen() || string(text) != "first\r\n\nsecond\nrest" || h.gate.processGroup() != "4711" {
			t.Errorf("pieces of %d: %q, %v, group %q", size, text, h.gate.isOpen(), h.gate.processGroup())
		}
		if want := []string{"first", "", "second", "rest"}; !slices.Equal(h.lines, want) {
			t.Errorf("pieces of %d: lines %q, want %q", size, h.lines, want)
		}
		if got := h.said(); got != "welcome\nfairlead-start-? not yet" {
			t.Errorf("pieces of %d: said %q", size, got)
		}
		if _, err := h.stderr.Write([]byte("late")); err == nil {
			t.Error("output is taken after the end")
		}
	}
}

// TestMark has lines that hold the word, and are the mark or not.
func TestMark(t *testing.T) {
	for line, want := range map[string]bool{
		"MARK 42\n":           true,
		"MARK 42\r\n":         true,
		"MARK\n":              true, // without /proc there is no group
		"MARK 42":             false,
		"MARK 4":              false,
		" MARK 42\n":          false,
		"+ echo 'MARK 42'\n":  false,
		"MARK $fl_g\n":        false,
		"MARK 42 \n":          false,
		"MARK 42; rm\n":       false,
		"MARK 42\x1b[0m\n":    false,
		"MARK -42\n":          false,
		"MARK \u0664\u0662\n": false,
		"noiseMARK 42\n":      false,
		"noise\nMARK 42\n":    true,
		"MARK 42\nMARK 43":    true,
		strings.Repeat("x", 1<<16) + "\nMARK 42\n":  true,
		strings.Repeat("x", 1<<16) + "MARK 42\n":    false,
		"MARK " + strings.Repeat("4", 1<<16) + "\n": false,
	} {
		h := listen(Command{})
		line = strings.ReplaceAll(line, "MARK", h.gate.mark)
		_, _ = io.WriteString(h.stdout, line)
		_, _ = io.WriteString(h.stderr, h.gate.mark+" 42\n")
		if h.gate.isOpen() != want {
			t.Errorf("%.60q: %v", line, h.gate.isOpen())
		}
	}
}

// TestOneOutput has a start-up file send one output where the other goes: all that is heard is on both.
func TestOneOutput(t *testing.T) {
	for _, out := range []bool{true, false} {
		h := listen(Command{})
		only := h.stderr
		if out {
			only = h.stdout
		}
		_, _ = io.WriteString(only, "hello\n"+h.gate.mark+" 42\n\n"+h.gate.mark+" 42\nsaid")
		if r := h.output(); string(r.Stdout) != "said" || string(r.Stderr) != "said" || !slices.Equal(h.lines, []string{"said"}) {
			t.Errorf("%q, %q, lines %q", r.Stdout, r.Stderr, h.lines)
		}
	}
}

// TestFlood has a process say more than it may, at once and bit by bit. What is kept of it is bounded, and it is ended once.
func TestFlood(t *testing.T) {
	line, chunk := strings.Repeat("x", 100)+"\n", strings.Repeat("y", 32<<10)
	for name, tt := range map[string]struct {
		text  string
		marks bool
		most  int64
		says  string
	}{
		"lines before the mark":   {line, false, 0, "too much output: more than 1048576 bytes before the command began"},
		"one line before it":      {chunk, false, 0, "too much output: more than 1048576 bytes before the command began"},
		"lines":                   {line, true, 0, "too much output: more than 8388608 bytes of the command"},
		"one line":                {chunk, true, 0, "too much output: more than 8388608 bytes of the command"},
		"more than is asked for":  {line, true, 1000, "too much output: more than 1000 bytes of the command"},
		"more than by default":    {line, true, 1 << 40, ""},
		"not one write is enough": {strings.Repeat("z", 20<<20), true, 0, "too much output: more than 8388608 bytes of the command"},
	} {
		t.Run(name, func(t *testing.T) {
			ends := 0
			h := &heard{}
			h.execution = newExecution(Command{MaxOutput: tt.most}, func(cause error) { ends, h.ended = ends+1, cause })
			if tt.marks {
				_, _ = io.WriteString(h.stdout, h.gate.mark+" 42\n")
				_, _ = io.WriteString(h.stderr, h.gate.mark+" 42\n")
			}
			for sent := 0; sent < 20<<20; sent += 2 * len(tt.text) {
				for _, s := range []*stream{h.stdout, h.stderr} {
					if _, err := io.WriteString(s, tt.text); err != nil {
						t.Fatal(err)
					}
				}
			}
			if tt.says == "" {
				if ends != 0 || len(h.output().Stdout) < 10<<20 {
					t.Errorf("ended %d times, %d bytes", ends, len(h.output().Stdout))
				}
				return
			}
			if !errors.Is(h.ended, ErrFlood) || h.ended.Error() != tt.says || ends != 1 {
				t.Errorf("ended %d times: %v", ends, h.ended)
			}
			r := h.output()
			if got, want := int64(len(r.Stdout)+len(r.Stderr)), cmp.Or(tt.most, defaultOutput); tt.marks && got != want || !tt.marks && got != 0 {
				t.Errorf("%d bytes are kept, want %d", got, want)
			}
			if kept := cap(h.stdout.before) + cap(h.stdout.line) + cap(h.stdout.partial); kept > 10*noiseKept {
				t.Errorf("%d bytes of noise and lines are kept", kept)
			}
		})
	}
}

// TestLongLine has a line that is longer than any that is handed out: its beginning is, and the next line is whole.
func TestLongLine(t *testing.T) {
	h := listen(Command{})
	_, _ = io.WriteString(h.stdout, h.gate.mark+" 42\n")
	_, _ = io.WriteString(h.stderr, h.gate.mark+" 42\n")
	exact := strings.Repeat("e", maxLine)
	for piece := range slices.Chunk([]byte(strings.Repeat("x", maxLine*3)+"\nnext\n"+exact+"\nlast"), 1000) {
		_, _ = h.stdout.Write(piece)
	}
	h.stdout.finish()
	if want := []string{strings.Repeat("x", maxLine) + " …", "next", exact, "last"}; !slices.Equal(h.lines, want) {
		t.Errorf("got %d lines", len(h.lines))
	}
}

func TestSizedReader(t *testing.T) {
	for text, want := range map[string]string{
		"1234":   "source ended after 4 of 5 bytes",
		"12345":  "",
		"123456": "source is longer than 5 bytes",
		"":       "source ended after 0 of 5 bytes",
	} {
		got, err := io.ReadAll(&sizedReader{r: strings.NewReader(text), size: 5})
		if len(got) > 5 || (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

func TestLastLines(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "",
		"one":                   "one",
		"one\ntwo\n":            "one\ntwo",
		"one\n\ntwo \r\n\t\n":   "one\ntwo",
		"one\ntwo\nthree\nfour": "two\nthree\nfour",
		"one\n" + strings.Repeat("x", 2000) + "\nlast": "one\n" + strings.Repeat("x", 1024) + " …\nlast",
	} {
		if got := lastLines([]byte(text), 3); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
