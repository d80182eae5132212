package apply_test

import (
	"crypto/rand"
	"net/netip"
	"strings"
	"testing"
	"time"

	"fairlead/pki"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// Where the registry has its CA and its certificate.
const (
	caFile, caKeyFile = "/etc/fairlead/registry/ca.crt", "/etc/fairlead/registry/ca.key"
	certFile, keyFile = "/etc/fairlead/registry/tls.crt", "/etc/fairlead/registry/tls.key"
)

// certificate asks for the registry's certificate; everything that it touches is recorded before.
func (w *world) certificate() string {
	w.cp1.answer(answer{}, templates.ScriptRecord)
	said := w.do(plan.MakeRegistryCertificate{Names: []string{"registry.test"}, Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.11")}})
	for _, path := range []string{caKeyFile, keyFile} {
		if lines := strings.Split(w.cp1.file(path), "\n"); len(lines) > 2 {
			w.secret(lines[1])
		}
	}
	return said
}

// content is the content of a file of a mode.
func (w *world) content(path, mode string) []byte {
	w.t.Helper()
	content, ok := strings.CutPrefix(w.cp1.file(path), mode+" ")
	if !ok {
		w.t.Errorf("%s is not of mode %s: %.20s", path, mode, w.cp1.file(path))
	}
	return []byte(content)
}

const (
	readCA, readCAKey   = "cp1: read " + caFile, "cp1: read " + caKeyFile
	writeCA, writeCAKey = "cp1: write " + caFile + " 644", "cp1: write " + caKeyFile + " 600"
	writeCert, writeKey = "cp1: write " + certFile + " 644", "cp1: write " + keyFile + " 600"
	recordAll           = "cp1: record file:" + caFile + " file:" + caKeyFile + " file:" + certFile + " file:" + keyFile
)

// TestMakeRegistryCertificate makes a CA where there is none, and a certificate of it for the registry's names. Keys come before
// what is made of them, so that a run that is cut off leaves no certificate without its key.
func TestMakeRegistryCertificate(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.well(w.certificate())
		w.did(recordAll, readCA, readCAKey, writeCAKey, writeCA, writeKey, writeCert)
		ca := w.content(caFile, "644")
		names, addresses := []string{"registry.test"}, []netip.Addr{netip.MustParseAddr("192.0.2.11")}
		if problem := pki.ServerCertificateProblem(w.content(certFile, "644"), ca, names, addresses, time.Now()); problem != "" {
			t.Error(problem)
		}
		if _, err := pki.ParseAuthority(ca, w.content(caKeyFile, "600")); err != nil {
			t.Error(err)
		}
		if key := string(w.content(keyFile, "600")); !strings.HasPrefix(key, "-----BEGIN ") || !strings.Contains(key, "PRIVATE KEY") {
			t.Error("the registry's key is no key")
		}

		w.well(w.certificate())
		w.did(recordAll, readCA, readCAKey, writeKey, writeCert)
		if string(w.content(caFile, "644")) != string(ca) {
			t.Error("the CA is another, which no host trusts")
		}
	})
}

// TestRegistryCAIsMadeAnew has the CA be of no use: half of it is missing, the halves are of two, it is no CA, or it ends too soon.
func TestRegistryCAIsMadeAnew(t *testing.T) {
	for name, spoil := range map[string]func(w *world){
		"no key":         func(w *world) { w.cp1.remove([]string{caKeyFile}) },
		"no certificate": func(w *world) { w.cp1.remove([]string{caFile}) },
		"two halves": func(w *world) {
			other, err := pki.NewAuthority(rand.Reader, "other", time.Now())
			if err != nil {
				w.t.Fatal(err)
			}
			w.cp1.put(caFile, "644", string(other.CertificatePEM()))
		},
		"no CA": func(w *world) { w.cp1.put(caFile, "644", "text") },
		"near its end": func(w *world) {
			old, err := pki.NewAuthority(rand.Reader, "old", time.Now().AddDate(-10, 0, 3))
			if err != nil {
				w.t.Fatal(err)
			}
			key, err := old.KeyPEM()
			if err != nil {
				w.t.Fatal(err)
			}
			w.cp1.put(caFile, "644", string(old.CertificatePEM()))
			w.cp1.put(caKeyFile, "600", string(key))
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.well(w.certificate())
				spoil(w)
				w.journal = nil
				w.well(w.certificate())
				w.did(recordAll, readCA, readCAKey, writeCAKey, writeCA, writeKey, writeCert)
				if problem := pki.ServerCertificateProblem(w.content(certFile, "644"), w.content(caFile, "644"), []string{"registry.test"}, nil, time.Now()); problem != "" {
					t.Error(problem)
				}
			})
		})
	}
}

// TestRegistryCertificateFails has files not be read or written. A CA that may be there is never replaced.
func TestRegistryCertificateFails(t *testing.T) {
	reads := []string{recordAll, readCA, readCAKey}
	for what, done := range map[string][]string{
		"read " + caFile:     reads,
		"read " + caKeyFile:  reads,
		"write " + caKeyFile: append(reads, writeCAKey),
		"write " + caFile:    append(reads, writeCAKey, writeCA),
		"write " + keyFile:   append(reads, writeCAKey, writeCA, writeKey),
		"write " + certFile:  append(reads, writeCAKey, writeCA, writeKey, writeCert),
	} {
		t.Run(what, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.cp1.fails(what, "Input/output error")
				if said := w.certificate(); said != what+": "+strings.Fields(what)[1]+": Input/output error" {
					t.Errorf("said %q", said)
				}
				w.did(done...)
			})
		})
	}
}

// TestRegistryCertificateNeedsNames has the registry be known by nothing: no certificate is made, and no key.
func TestRegistryCertificateNeedsNames(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.cp1.answer(answer{}, templates.ScriptRecord)
		if said := w.do(plan.MakeRegistryCertificate{}); !strings.HasPrefix(said, "issue the registry's certificate: ") {
			t.Errorf("said %q", said)
		}
		if w.cp1.file(keyFile) != "absent" {
			t.Error("there is a key")
		}
	})
}

// TestCopyRegistryCA brings the CA from the registry's host to another, for everybody to read.
func TestCopyRegistryCA(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.w1.answer(answer{}, templates.ScriptRecord)
		action := plan.CopyRegistryCA{From: "cp1", Path: "/etc/containerd/ca.crt"}
		w.cp1.put(caFile, "600", "the CA")
		w.well(w.doOn("w1", action))
		w.did("w1: record file:/etc/containerd/ca.crt", readCA, "w1: write /etc/containerd/ca.crt 644")
		if got := w.w1.file("/etc/containerd/ca.crt"); got != "644 the CA" {
			t.Errorf("copied %s", got)
		}
		w.cp1.remove([]string{caFile})
		if said := w.doOn("w1", action); !strings.HasPrefix(said, "on cp1: read "+caFile+": ") {
			t.Errorf("said %q", said)
		}
		if said := w.doOn("w1", plan.CopyRegistryCA{From: "w2"}); said != "no host w2" {
			t.Errorf("said %q", said)
		}
	})
}
