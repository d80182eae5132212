package remote

import (
	"io"
	"slices"
	"strings"
	"testing"
)

// TestStream hands output to a stream in pieces of each size: the mark is found wherever they are cut.
func TestStream(t *testing.T) {
	const mark = "fairlead-start-X"
	const noise = "welcome\nfairlead-start-? not yet "
	output := noise + mark + " 4711\nfirst\r\n\nsecond\nrest"
	for size := 1; size <= len(output); size++ {
		var lines []string
		groups := 0
		s := &stream{mark: []byte(mark), lines: &lineTaker{take: func(l string) { lines = append(lines, l) }}}
		s.onStart = func(group string) {
			if groups++; group != "4711" {
				t.Errorf("group %q", group)
			}
		}
		for piece := range slices.Chunk([]byte(output), size) {
			if n, err := s.Write(piece); n != len(piece) || err != nil {
				t.Fatal(n, err)
			}
		}
		text, started := s.finish()
		if !started || string(text) != "first\r\n\nsecond\nrest" || string(s.before) != noise || groups != 1 {
			t.Errorf("pieces of %d: %q, %v, before it %q, %d starts", size, text, started, s.before, groups)
		}
		if want := []string{"first", "", "second", "rest"}; !slices.Equal(lines, want) {
			t.Errorf("pieces of %d: lines %q, want %q", size, lines, want)
		}
	}
	s := &stream{mark: []byte(mark)}
	_, _ = io.WriteString(s, noise+mark+" 47") // cut off before the line was whole
	if text, started := s.finish(); started || string(text) != noise+mark+" 47" {
		t.Errorf("cut off: %q, %v", text, started)
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
	} {
		if got := lastLines([]byte(text), 3); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
