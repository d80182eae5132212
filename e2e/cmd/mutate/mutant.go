package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
)

// mutant is one small change of one file: the bytes from start to end become text.
type mutant struct {
	file       string
	line       int
	operator   string
	start, end int
	text       string
	src        []byte
}

// changed is the whole file with the change in it.
func (m mutant) changed() []byte {
	return []byte(string(m.src[:m.start]) + m.text + string(m.src[m.end:]))
}

// String is "file:line: operator: before -> after", with the lines in which the change lies.
func (m mutant) String() string {
	from, to := m.start, m.end
	for from > 0 && m.src[from-1] != '\n' {
		from--
	}
	for to < len(m.src) && m.src[to] != '\n' {
		to++
	}
	before := oneLine(string(m.src[from:to]))
	after := oneLine(string(m.src[from:m.start]) + m.text + string(m.src[m.end:to]))
	return fmt.Sprintf("%s:%d: %s: %s -> %s", m.file, m.line, m.operator, before, after)
}

// oneLine is code in one line of a length that can be read.
func oneLine(code string) string {
	const most = 110
	code = strings.Join(strings.Fields(code), " ")
	if runes := []rune(code); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	if code == "" {
		return "(nothing)"
	}
	return code
}

// collector gathers the mutants of one file.
type collector struct {
	name    string
	src     []byte
	file    *token.File
	mutants []mutant
}

// collect finds every mutant of a file, in the order of the source.
func collect(name string, src []byte) ([]mutant, error) {
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, name, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	c := &collector{name: name, src: src, file: set.File(parsed.FileStart)}
	ast.PreorderStack(parsed, nil, func(n ast.Node, above []ast.Node) bool {
		for _, operator := range operators() {
			operator(c, n, above)
		}
		return true
	})
	return c.mutants, nil
}

func (c *collector) add(operator string, from, to token.Pos, text string) {
	c.mutants = append(c.mutants, mutant{
		file: c.name, line: c.file.Line(from), operator: operator,
		start: c.file.Offset(from), end: c.file.Offset(to), text: text, src: c.src,
	})
}

// code is the source text of a node.
func (c *collector) code(n ast.Node) string {
	return string(c.src[c.file.Offset(n.Pos()):c.file.Offset(n.End())])
}

// drop removes a node.
func (c *collector) drop(operator string, n ast.Node) {
	c.add(operator, n.Pos(), n.End(), "")
}
