package inventory

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// maxSize bounds a cluster file, in bytes: a thousand hosts take a tenth of it.
const maxSize = 4 << 20

// Check looks for further problems, such as settings another package knows the
// types of. It also runs when the file has other problems: what could not be read
// is then zero in the cluster it gets.
type Check func(*Cluster) []Problem

// Load reads a cluster file, fills in the defaults and validates it. Paths in the
// file are relative to its folder. The second result holds the warnings. The error
// is an *Invalid when the file could be read but not used.
func Load(file string, checks ...Check) (*Cluster, []Problem, error) {
	f, err := os.Open(file) //nolint:gosec // the user says which file to read
	if err != nil {
		return nil, nil, fmt.Errorf("read inventory: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, nil, fmt.Errorf("read inventory: %w", err)
	}
	return Parse(file, data, checks...)
}

// Parse is Load for data already read; file names it in problems and is what paths
// in it are relative to.
func Parse(file string, data []byte, checks ...Check) (*Cluster, []Problem, error) {
	doc, err := read(file, data)
	if err != nil {
		return nil, nil, err
	}
	cluster := doc.cluster
	if !doc.stopped {
		doc.validate()
		complete(cluster)
		for _, check := range checks {
			doc.problems = append(doc.problems, check(cluster)...)
		}
	}
	warnings, faults := doc.sorted()
	if len(faults) > 0 {
		return nil, warnings, &Invalid{File: file, Problems: faults}
	}
	return cluster, warnings, nil
}

// document is a file that is YAML with a mapping at its top.
type document struct {
	root    *yaml.Node
	last    int // number of the file's last line
	cluster *Cluster
	decoder
}

// read decodes a file without validating what spans several keys. The error is an
// *Invalid when there is no mapping to decode.
func read(file string, data []byte) (*document, error) {
	root, problem := parseYAML(file, data)
	last := len(newSource(data).lines)
	if problem != nil {
		problem.Line = min(max(problem.Line, 1), last)
		return nil, &Invalid{File: file, Problems: []Problem{*problem}}
	}
	doc := &document{root: root, last: last, cluster: &Cluster{}, decoder: newDecoder(file)}
	doc.decode(root, doc.cluster)
	return doc, nil
}

// sorted fills in missing lines and splits the problems into warnings and the rest.
func (doc *document) sorted() (warnings, faults []Problem) {
	for _, p := range doc.problems {
		if p.Line == 0 {
			p.Line = lineOf(doc.root, p.Path)
		}
		p.Line = min(p.Line, doc.last) // the parser ends the last line even where the file does not
		if p.Warning {
			warnings = append(warnings, p)
		} else {
			faults = append(faults, p)
		}
	}
	sortProblems(warnings)
	sortProblems(faults)
	return warnings, faults
}

// parseYAML gives the mapping at the top of the only document in data. A file of another tool is called by its name.
func parseYAML(file string, data []byte) (*yaml.Node, *Problem) {
	root, problem := parseDocument(data)
	if other := foreign(data, root, problem); other != nil {
		return nil, other.problem(file)
	}
	if problem != nil {
		return nil, problem
	}
	return root, nil
}

// parseDocument is parseYAML for files of whatever tool. Beside a problem it gives what is at the top of the first document, if
// that could be read.
func parseDocument(data []byte) (*yaml.Node, *Problem) {
	if len(data) > maxSize {
		return nil, &Problem{Line: 1, Message: fmt.Sprintf("the file is larger than %d MiB", maxSize>>20)}
	}
	if line := invalidTextLine(data); line > 0 {
		return nil, &Problem{Line: line, Message: "the file is not UTF-8 text"}
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, next yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, &Problem{Line: 1, Message: "the file is empty; `fairlead init` writes one to start from"}
	case err != nil:
		return nil, syntaxProblem(data, err)
	}
	root := &doc
	if doc.Kind == yaml.DocumentNode && len(doc.Content) == 1 {
		root = doc.Content[0]
	}
	switch err := dec.Decode(&next); {
	case err == nil:
		return root, &Problem{Line: next.Line, Message: "a second document starts here; a cluster file holds exactly one"}
	case !errors.Is(err, io.EOF):
		return root, syntaxProblem(data, err)
	}
	if root.Kind != yaml.MappingNode {
		return root, &Problem{Line: root.Line, Message: "the file must be a mapping that starts with apiVersion: " + APIVersion}
	}
	return root, nil
}

// invalidTextLine is the line of the first byte that is not UTF-8, or 0. The byte
// order marks of UTF-16 are not UTF-8 either.
func invalidTextLine(data []byte) int {
	if utf8.Valid(data) {
		return 0
	}
	for i, line := range bytes.Split(data, []byte("\n")) {
		if !utf8.Valid(line) {
			return i + 1
		}
	}
	return 1
}

// syntaxProblem turns the parser's error text into a problem. The parser stops at
// the first one. For a broken list or mapping it names the line that starts it.
func syntaxProblem(data []byte, err error) *Problem {
	if line := tabLine(data); line > 0 {
		return &Problem{Line: line, Message: "the line is indented with a tab; YAML takes only spaces"}
	}
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if m := regexp.MustCompile(`^line (\d+): `).FindStringSubmatch(text); m != nil {
		text = text[len(m[0]):]
		line = syntaxLine(m[1], text)
	} else if m := regexp.MustCompile(`^unknown anchor '(.+)' referenced`).FindStringSubmatch(text); m != nil {
		if i := bytes.Index(data, []byte("*"+m[1])); i >= 0 {
			line += bytes.Count(data[:i], []byte("\n"))
		}
	}
	return &Problem{Line: line, Message: "not valid YAML: " + text}
}

// syntaxLine corrects the line of the parser's error: yaml.v3 counts lines from 1 in
// what its scanner finds and from 0 in what its parser finds, told apart by the text.
func syntaxLine(number, text string) int {
	n, err := strconv.Atoi(number)
	if err != nil {
		return 1
	}
	if regexp.MustCompile(`^did not find expected (<|node|'|',|key)`).MatchString(text) {
		n++
	}
	return n
}

// tabLine is the first line with a tab in its indentation, or 0.
func tabLine(data []byte) int {
	for i, line := range bytes.Split(data, []byte("\n")) {
		content := bytes.TrimLeft(line, " \t")
		if len(bytes.TrimSpace(content)) > 0 && bytes.Contains(line[:len(line)-len(content)], []byte("\t")) {
			return i + 1
		}
	}
	return 0
}
