// Package connect keeps the connections of a run: one for each host, and the client of the API
// server, which goes through one of them.
package connect
