// Package local reaches the machine that fairlead itself runs on, without SSH: processes are started by the operating
// system, and connections begin here. Everything else, root's rights by sudo included, is as with any other host.
//
// What it never does: use a terminal, or hand its own environment to what it starts, but for the user's name, home and
// PATH.
package local
