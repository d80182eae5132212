package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// operators are the ways to make a fault. Each looks at one node, with the nodes above it.
// They go by syntax alone: what does not compile is found out by trying.
func operators() []func(*collector, ast.Node, []ast.Node) {
	return []func(*collector, ast.Node, []ast.Node){
		negate, unnegate, swap, flip, increment, alterString,
		dropStatement, dropJump, dropCase, dropElement, hideError,
	}
}

// negate turns the condition of an if round. A single == or != is left to swap, a ! to
// unnegate: they would be the same mutant twice.
func negate(c *collector, n ast.Node, _ []ast.Node) {
	branch, ok := n.(*ast.IfStmt)
	if !ok {
		return
	}
	switch cond := ast.Unparen(branch.Cond).(type) {
	case *ast.UnaryExpr:
		if cond.Op == token.NOT {
			return
		}
	case *ast.BinaryExpr:
		if cond.Op == token.EQL || cond.Op == token.NEQ {
			return
		}
	}
	c.add("negate", branch.Cond.Pos(), branch.Cond.End(), "!("+c.code(branch.Cond)+")")
}

// unnegate takes a ! away.
func unnegate(c *collector, n ast.Node, _ []ast.Node) {
	if not, ok := n.(*ast.UnaryExpr); ok && not.Op == token.NOT {
		c.add("negate", not.OpPos, not.X.Pos(), "")
	}
}

// swap puts another operator in the place of a binary one.
func swap(c *collector, n ast.Node, _ []ast.Node) {
	expr, ok := n.(*ast.BinaryExpr)
	if !ok || isText(expr) {
		return
	}
	others := map[token.Token]token.Token{
		token.EQL: token.NEQ, token.NEQ: token.EQL,
		token.LSS: token.LEQ, token.LEQ: token.LSS,
		token.GTR: token.GEQ, token.GEQ: token.GTR,
		token.LAND: token.LOR, token.LOR: token.LAND,
		token.ADD: token.SUB, token.SUB: token.ADD,
	}
	if other, ok := others[expr.Op]; ok {
		c.add("operator", expr.OpPos, expr.OpPos+token.Pos(len(expr.Op.String())), other.String())
	}
}

// isText says whether an expression is a sum with a string in it.
func isText(e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.BasicLit:
		return e.Kind == token.STRING
	case *ast.BinaryExpr:
		return e.Op == token.ADD && (isText(e.X) || isText(e.Y))
	}
	return false
}

// flip turns true into false.
func flip(c *collector, n ast.Node, _ []ast.Node) {
	name, ok := n.(*ast.Ident)
	if !ok {
		return
	}
	switch name.Name {
	case "true":
		c.add("boolean", name.Pos(), name.End(), "false")
	case "false":
		c.add("boolean", name.Pos(), name.End(), "true")
	}
}

// increment adds one to a number, in its own base.
func increment(c *collector, n ast.Node, _ []ast.Node) {
	number, ok := n.(*ast.BasicLit)
	if !ok || number.Kind != token.INT {
		return
	}
	value, err := strconv.ParseUint(number.Value, 0, 63)
	if err != nil {
		return
	}
	format := "%d"
	switch lower := strings.ToLower(number.Value); {
	case strings.HasPrefix(lower, "0x"):
		format = "%#x"
	case strings.HasPrefix(lower, "0b"):
		format = "%#b"
	case len(lower) > 1 && lower[0] == '0':
		format = "%O"
	}
	c.add("number", number.Pos(), number.End(), fmt.Sprintf(format, value+1))
}

// alterString changes a text that something is compared with.
func alterString(c *collector, n ast.Node, _ []ast.Node) {
	var compared []ast.Expr
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if n.Op == token.EQL || n.Op == token.NEQ {
			compared = []ast.Expr{n.X, n.Y}
		}
	case *ast.CaseClause:
		compared = n.List
	case *ast.CallExpr:
		if comparing(n.Fun) {
			compared = n.Args
		}
	}
	for _, e := range compared {
		if text, ok := e.(*ast.BasicLit); ok && text.Kind == token.STRING && len(text.Value) > 2 {
			c.add("string", text.Pos(), text.End(), text.Value[:len(text.Value)-1]+"~"+text.Value[len(text.Value)-1:])
		}
	}
}

// comparing says whether a function of the standard library looks for a text.
func comparing(fun ast.Expr) bool {
	name, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	from, ok := name.X.(*ast.Ident)
	return ok && (from.Name == "strings" || from.Name == "bytes" || from.Name == "slices") &&
		slices.Contains([]string{"HasPrefix", "HasSuffix", "Contains", "EqualFold", "TrimPrefix", "TrimSuffix",
			"CutPrefix", "CutSuffix", "Cut", "Index", "LastIndex", "Split", "ContainsAny"}, name.Sel.Name)
}
