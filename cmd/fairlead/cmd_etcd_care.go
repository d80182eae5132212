package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"fairlead/provision"
	"fairlead/provision/etcd"

	"github.com/urfave/cli/v2"
)

func (p *program) etcdStatusCommand() *cli.Command {
	return &cli.Command{
		Name:        "status",
		Usage:       "show etcd's members, and how they are",
		Description: "It asks the members themselves, through a control plane that can be reached, also where there is no quorum.\n\nExample:\n  fairlead etcd status",
		Flags:       timeoutFlags(),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			return p.withSession(c, needs{withoutBundle: true, document: true}, func(ctx context.Context, r *invocation) error {
				found, err := r.session.Etcd(ctx)
				if err != nil {
					return err
				}
				text, err := etcdTable(found), error(nil)
				if r.json {
					text, err = etcdDocument(found)
				}
				if err == nil {
					err = r.result(text)
				}
				return err
			})
		},
	}
}

// etcdRow is a member in words.
type etcdRow struct {
	ID         string   `json:"id"`
	Name       string   `json:"name,omitempty"`
	Host       string   `json:"host,omitempty"`
	Role       string   `json:"role"`
	State      string   `json:"state"`
	Version    string   `json:"version,omitempty"`
	Storage    string   `json:"storageVersion,omitempty"`
	Revision   int64    `json:"revision,omitempty"`
	Size       int64    `json:"sizeBytes,omitempty"`
	InUse      int64    `json:"inUseBytes,omitempty"`
	Fragmented int64    `json:"fragmentedPercent"`
	Alarms     []string `json:"alarms,omitempty"`
	Errors     []string `json:"errors,omitempty"`
	PeerURLs   []string `json:"peerURLs,omitempty"`
}

func etcdRowOf(m provision.EtcdMember) etcdRow {
	row := etcdRow{ID: m.Number(), Name: m.Name, Host: m.Host, Role: "follower", PeerURLs: m.PeerURLs}
	switch {
	case m.Learner:
		row.Role = "learner"
	case m.Lead:
		row.Role = "leader"
	}
	switch {
	case m.Healthy:
		row.State = "healthy"
	case !m.Started():
		row.State = "not started"
	case m.Listens:
		row.State = "not serving"
	default:
		row.State = "silent"
	}
	if s := m.Status; s != nil {
		row.Version, row.Storage, row.Revision, row.Size, row.InUse = s.Version, s.StorageVersion, s.Revision, s.Size, s.InUse
		row.Alarms, row.Errors = s.Alarms, s.Errors
		if s.Size > 0 {
			row.Fragmented = (s.Size - s.InUse) * 100 / s.Size
		}
	}
	return row
}

func etcdTable(found provision.Etcd) []byte {
	var out bytes.Buffer
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "MEMBER\tHOST\tID\tROLE\tSTATE\tVERSION\tREVISION\tSIZE\tFRAGMENTED\tALARMS")
	for _, m := range found.Members {
		row := etcdRowOf(m)
		size, fragmented, revision := "-", "-", "-"
		if m.Status != nil {
			size, fragmented, revision = mebibytes(row.Size), fmt.Sprintf("%d%%", row.Fragmented), fmt.Sprint(row.Revision)
		}
		_, _ = fmt.Fprintln(table, strings.Join([]string{
			printable(cmp.Or(row.Name, strings.Join(row.PeerURLs, ","))), cmp.Or(row.Host, "-"), row.ID, row.Role, row.State,
			printable(cmp.Or(row.Version, "-")), revision, size, fragmented, printable(cmp.Or(strings.Join(row.Alarms, ","), "-")),
		}, "\t"))
	}
	_ = table.Flush() // into memory
	if found.NoQuorum {
		fmt.Fprintf(&out, "etcd has no quorum: this is what the member of %s knows\n", found.Via)
	}
	return out.Bytes()
}

func etcdDocument(found provision.Etcd) ([]byte, error) {
	document := struct {
		Via     string    `json:"via"`
		Quorum  bool      `json:"quorum"`
		Members []etcdRow `json:"members"`
	}{Via: found.Via, Quorum: !found.NoQuorum}
	for _, m := range found.Members {
		document.Members = append(document.Members, etcdRowOf(m))
	}
	text, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the status of etcd: %w", err)
	}
	return append(text, '\n'), nil
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

func (p *program) etcdDefragmentCommand() *cli.Command {
	return &cli.Command{
		Name:  "defragment",
		Usage: "have etcd's members give back the space that they do not use",
		Description: "One member after the other, the leader last; each serves nobody meanwhile, so all have to be well. The alarm NOSPACE is\n" +
			"taken back: it comes again where there is still no space.\n\nExample:\n  fairlead etcd defragment",
		Flags: timeoutFlags(),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			return p.withSession(c, needs{withoutBundle: true}, func(ctx context.Context, r *invocation) error {
				return r.session.DefragmentEtcd(ctx, func(before, after provision.EtcdMember) {
					if before.Status != nil && after.Status != nil {
						r.view.note(fmt.Sprintf("%s: from %s to %s", before.Name, mebibytes(before.Status.Size), mebibytes(after.Status.Size)))
					}
				})
			})
		},
	}
}

func (p *program) etcdSnapshotCommand() *cli.Command {
	return &cli.Command{
		Name:      "snapshot",
		Usage:     "save a snapshot of etcd to a file here",
		ArgsUsage: "FILE|-",
		Description: "Streamed from a member over SSH and proven whole on the way: a file that is there is one that can be restored. The file holds\n" +
			"the cluster's Secrets; it is for you alone (mode 0600).\n\nExample:\n  fairlead etcd snapshot lab.db",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: flagFrom, Usage: "of the member of this `HOST`", DefaultText: "the first that answers"},
		}, timeoutFlags()...),
		Action: func(c *cli.Context) error {
			if c.Args().Len() != 1 {
				return wrongUsage(c, "%s takes one FILE, or - for standard output", c.Command.HelpName)
			}
			if from := c.String(flagFrom); from != "" {
				if err := checkNames(c, []string{from}); err != nil {
					return err
				}
			}
			path := c.Args().First()
			return p.withSession(c, needs{withoutBundle: true, document: true}, func(ctx context.Context, r *invocation) error {
				return r.saveSnapshot(ctx, path, c.String(flagFrom))
			})
		},
	}
}

func (r *invocation) saveSnapshot(ctx context.Context, path, from string) error {
	var info etcd.SnapshotInfo
	take := func(w io.Writer) (err error) {
		info, err = r.session.EtcdSnapshot(ctx, from, w)
		return err
	}
	if path == "-" {
		if isTerminal(r.program.stdout) {
			return errors.New("a snapshot is no text for a terminal: name a file, or a pipe")
		}
		return take(r.stdout)
	}
	if err := replaceBy(path, forOwner, take); err != nil {
		return err
	}
	r.view.note(fmt.Sprintf("%s: %s, up to revision %s, of etcd %s", path, mebibytes(info.Size), info.Revision, info.Version))
	return nil
}
