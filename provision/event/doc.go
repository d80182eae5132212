// Package event tells what happens in a run, one thing at a time, to whoever shows it.
package event
