package ledger

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// form is the first line of a ledger in the present form. scripts/ledger.sh says what comes after it.
const form = "fairlead-ledger 2"

// Read reads the lines of a host's ledger, in the present form or in the former one, which had neither a first nor a last line.
// The error says what is wrong with it as a whole; the entries are those that could be read all the same, and nothing must be
// undone by them.
func Read(lines []string) ([]Entry, error) {
	switch {
	case len(lines) == 0, len(lines) == 1 && lines[0] == "":
		return nil, errors.New("it is empty")
	case lines[0] == form:
		return readFramed(lines[1:])
	case strings.HasPrefix(lines[0], "fairlead-ledger"):
		return nil, fmt.Errorf("it is of the form %q, which this fairlead does not know", lines[0])
	}
	return readEntries(lines, 1, false)
}

// readFramed reads what comes after the first line: entries and the line that counts them.
func readFramed(lines []string) ([]Entry, error) {
	isEnd := func(line string) bool { return strings.HasPrefix(line, "end ") }
	end := slices.IndexFunc(lines, isEnd)
	if end < 0 {
		entries, err := readEntries(lines, 2, true)
		return entries, cmp.Or(err, errors.New("its last line, which counts the entries, is missing"))
	}
	entries, err := readEntries(lines[:end], 2, true)
	if err != nil {
		return entries, err
	}
	if said := strings.TrimPrefix(lines[end], "end "); said != strconv.Itoa(len(entries)) {
		return entries, fmt.Errorf("it has %d entries and says that it has %s", len(entries), said)
	}
	if end < len(lines)-1 {
		return entries, fmt.Errorf("line %d comes after its end", end+3)
	}
	return entries, nil
}

// readEntries reads lines of which the first has a number.
func readEntries(lines []string, first int, escaped bool) ([]Entry, error) {
	var entries []Entry
	for n, line := range lines {
		entry, ok := readEntry(line, escaped)
		if !ok {
			return entries, fmt.Errorf("line %d is no entry", first+n)
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

// readEntry reads a line KIND KEY WAS.
func readEntry(line string, escaped bool) (Entry, bool) {
	kind, rest, ok := strings.Cut(line, " ")
	key, was, _ := strings.Cut(rest, " ")
	odd := func(r rune) bool { return r < 'a' || r > 'z' }
	if !ok || kind == "" || key == "" || strings.ContainsFunc(kind, odd) {
		return Entry{}, false
	}
	entry := Entry{Kind: kind, Key: key, Was: was}
	if !escaped {
		return entry, true
	}
	var errKey, errWas error
	entry.Key, errKey = Decode(key)
	if kind != Swap { // whose devices are a list, and are told apart first
		entry.Was, errWas = Decode(was)
	}
	return entry, errKey == nil && errWas == nil
}

// Encode makes a word of a ledger's line from a text: blanks, control characters and backslashes are octal, and so are the
// characters by which a shell knows a pattern.
func Encode(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if c <= ' ' || c == 0x7f || strings.IndexByte(`\*?[`, c) >= 0 {
			fmt.Fprintf(&b, `\%03o`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// Decode is the opposite of Encode.
func Decode(word string) (string, error) {
	var b strings.Builder
	for rest := word; ; {
		plain, escaped, found := strings.Cut(rest, `\`)
		b.WriteString(plain)
		if !found {
			return b.String(), nil
		}
		if len(escaped) < 3 {
			return "", fmt.Errorf("decode %q: an escape is cut", word)
		}
		c, err := strconv.ParseUint(escaped[:3], 8, 8)
		if err != nil || c == 0 {
			return "", fmt.Errorf("decode %q: \\%s is no character", word, escaped[:3])
		}
		b.WriteByte(byte(c))
		rest = escaped[3:]
	}
}

// words are those that an entry of a kind may have for how things were; a kind without any has numbers or names. Of units they
// are systemd's (systemctl is-enabled).
func words() map[string][]string {
	return map[string][]string{
		File: {"absent", "saved"}, Tree: {"absent", "existed"}, Dir: {"absent"}, Module: {"absent", "loaded"}, Net: {"saved"}, Package: {"absent", "removed"},
		Unit: {
			"not-found", "enabled", "enabled-runtime", "disabled", "static", "alias", "indirect", "generated", "transient",
			"linked", "linked-runtime", "masked", "masked-runtime", "bad",
		},
		Sysctl: nil, Swap: nil,
	}
}

// Understood says that this fairlead knows how to undo the entry. A later one may write others.
func (e Entry) Understood() bool {
	known, ok := words()[e.Kind]
	first, _, _ := strings.Cut(e.Was, " ")
	return ok && (known == nil || slices.Contains(known, first))
}

// SavedSHA256 is the hash of the content that a file had before fairlead; empty for one that was absent, and where a former
// fairlead did not write it.
func (e Entry) SavedSHA256() string {
	fields := strings.Fields(e.Was)
	if e.Kind != File || len(fields) != 4 || fields[0] != "saved" {
		return ""
	}
	return fields[3]
}

// Devices are the devices of an entry for swap.
func (e Entry) Devices() []string {
	var devices []string
	for word := range strings.SplitSeq(e.Was, ",") {
		if word == "" || word == "none" {
			continue
		}
		if device, err := Decode(word); err == nil {
			word = device
		}
		devices = append(devices, word)
	}
	return devices
}
