// Package child runs programs of this machine as the processes of a remote.Transport: the machine's own commands, or the
// client of something that runs commands elsewhere.
//
// What it never does: choose what is started, or give a process more than its exec.Cmd says.
package child
