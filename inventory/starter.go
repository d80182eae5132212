package inventory

import (
	_ "embed" // the files are part of the program
)

//go:embed starter.yaml
var starter string

//go:embed schema.json
var schema string

// Starter gives a commented cluster file to start from.
func Starter() []byte { return []byte(starter) }

// Schema gives the JSON schema (draft 2020-12) of the cluster file, for editors.
func Schema() []byte { return []byte(schema) }
