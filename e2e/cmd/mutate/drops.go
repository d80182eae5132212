package main

import (
	"go/ast"
	"go/token"
)

// dropStatement leaves out a call or an assignment. A declaration stays: without it nothing
// would compile.
func dropStatement(c *collector, n ast.Node, _ []ast.Node) {
	switch n := n.(type) {
	case *ast.ExprStmt:
		if _, ok := n.X.(*ast.CallExpr); ok {
			c.drop("drop call", n)
		}
	case *ast.IncDecStmt:
		if _, ok := n.X.(*ast.Ident); !ok { // a loop's counter would only make it endless
			c.drop("drop assignment", n)
		}
	case *ast.AssignStmt:
		if blank, ok := n.Lhs[0].(*ast.Ident); n.Tok != token.DEFINE && !(ok && blank.Name == "_") {
			c.drop("drop assignment", n)
		}
	}
}

// dropJump leaves out continue, break, fallthrough and a return without results.
func dropJump(c *collector, n ast.Node, _ []ast.Node) {
	switch n := n.(type) {
	case *ast.BranchStmt:
		if n.Tok != token.GOTO {
			c.drop("drop "+n.Tok.String(), n)
		}
	case *ast.ReturnStmt:
		if len(n.Results) == 0 {
			c.drop("drop return", n)
		}
	}
}

// dropCase leaves out a case of a switch, its body with it.
func dropCase(c *collector, n ast.Node, _ []ast.Node) {
	if clause, ok := n.(*ast.CaseClause); ok {
		c.drop("drop case", clause)
	}
}

// dropElement leaves out one element of a list or one entry of a map.
func dropElement(c *collector, n ast.Node, above []ast.Node) {
	literal, ok := n.(*ast.CompositeLit)
	if !ok {
		return
	}
	switch literalType(literal, above).(type) {
	case *ast.ArrayType, *ast.MapType:
	default:
		return
	}
	for i, element := range literal.Elts {
		next := literal.Rbrace // the comma goes with it
		if i+1 < len(literal.Elts) {
			next = literal.Elts[i+1].Pos()
		}
		c.add("drop element", element.Pos(), next, "")
	}
}

// literalType is the type of a composite literal, which may be written at an outer one only.
// Nil if it is not in sight.
func literalType(literal *ast.CompositeLit, above []ast.Node) ast.Expr {
	if literal.Type != nil || len(above) == 0 {
		return literal.Type
	}
	last := len(above) - 1
	entry, keyed := above[last].(*ast.KeyValueExpr)
	if keyed {
		last--
	}
	outer, ok := above[last].(*ast.CompositeLit)
	if !ok {
		return nil
	}
	switch t := literalType(outer, above[:last]).(type) {
	case *ast.ArrayType:
		return t.Elt
	case *ast.MapType:
		if keyed && entry.Key == literal {
			return t.Key
		}
		return t.Value
	}
	return nil
}

// hideError returns nil in the place of an error.
func hideError(c *collector, n ast.Node, above []ast.Node) {
	back, ok := n.(*ast.ReturnStmt)
	if !ok || len(back.Results) == 0 {
		return
	}
	results := enclosing(above).Results
	if results == nil || results.NumFields() != len(back.Results) {
		return
	}
	kind, ok := results.List[len(results.List)-1].Type.(*ast.Ident)
	last := back.Results[len(back.Results)-1]
	if name, isName := last.(*ast.Ident); !ok || kind.Name != "error" || isName && name.Name == "nil" {
		return
	}
	c.add("hide error", last.Pos(), last.End(), "nil")
}

// enclosing is the type of the function in which a statement stands.
func enclosing(above []ast.Node) *ast.FuncType {
	for i := len(above) - 1; i >= 0; i-- {
		switch f := above[i].(type) {
		case *ast.FuncDecl:
			return f.Type
		case *ast.FuncLit:
			return f.Type
		}
	}
	return &ast.FuncType{}
}
