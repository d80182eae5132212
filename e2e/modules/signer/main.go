// Command signer makes a new OpenPGP key and signs the Release files of Debian package
// repositories with it. Only the public key, armored, is written; the private one is never.
//
//	signer PUBLICKEY NAME RELEASE...
//
// Beside each RELEASE it writes InRelease, the file with a signature around it, and
// Release.gpg, a signature on its own.
package main

import (
	"bytes"
	"crypto"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: signer PUBLICKEY NAME RELEASE...")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, "signer:", err)
		os.Exit(1)
	}
}

func run(publicKey, name string, releases []string) error {
	// What the public repositories use, and every gpgv knows.
	config := &packet.Config{Algorithm: packet.PubKeyAlgoRSA, RSABits: 3072, DefaultHash: crypto.SHA512}
	key, err := openpgp.NewEntity(name, "", name+"@lab.fairlead.example", config)
	if err != nil {
		return fmt.Errorf("make key: %w", err)
	}
	if err := write(publicKey, func(w io.Writer) error { return export(w, key) }); err != nil {
		return err
	}
	for _, release := range releases {
		if err := sign(key, release, config); err != nil {
			return fmt.Errorf("sign %s: %w", release, err)
		}
	}
	return nil
}

func export(w io.Writer, key *openpgp.Entity) error {
	armored, err := armor.Encode(w, openpgp.PublicKeyType, nil)
	if err != nil {
		return err
	}
	if err := key.Serialize(armored); err != nil {
		return err
	}
	return armored.Close()
}

func sign(key *openpgp.Entity, release string, config *packet.Config) error {
	content, err := os.ReadFile(release)
	if err != nil {
		return err
	}
	folder := filepath.Dir(release)
	err = write(filepath.Join(folder, "InRelease"), func(w io.Writer) error {
		signed, err := clearsign.Encode(w, key.PrivateKey, config)
		if err != nil {
			return err
		}
		if _, err := signed.Write(content); err != nil {
			return err
		}
		return signed.Close()
	})
	if err != nil {
		return err
	}
	return write(filepath.Join(folder, "Release.gpg"), func(w io.Writer) error {
		return openpgp.ArmoredDetachSign(w, key, bytes.NewReader(content), config)
	})
}

// write makes a file of what fill writes, with a line break at its end.
func write(path string, fill func(io.Writer) error) error {
	var content bytes.Buffer
	if err := fill(&content); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.WriteFile(path, append(bytes.TrimRight(content.Bytes(), "\n"), '\n'), 0o644)
}
