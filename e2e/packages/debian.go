package packages

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// fetch gets packages of Debian, and all that they need and a lab host lacks, into the folder
// pool. A root file system like that of the hosts tells what they lack; it is thrown away.
func (b *builder) fetch(ctx context.Context, names []string, pool string) error {
	root := b.recipe.Root
	_, err := run(ctx, b.work, b.log,
		"mmdebstrap", "--variant="+root.Variant, "--architectures="+b.recipe.Arch, "--format=null",
		"--include="+strings.Join(root.Packages, ","),
		`--customize-hook=chroot "$1" apt-get clean`,
		`--customize-hook=chroot "$1" apt-get --yes --no-install-recommends --download-only install `+strings.Join(names, " "),
		"--customize-hook=copy-out /var/cache/apt/archives .",
		root.Suite, "/dev/null")
	if err != nil {
		return err
	}
	fetched, err := filepath.Glob(filepath.Join(b.work, "archives", "*.deb"))
	if err != nil {
		return err
	}
	if len(fetched) < len(names) {
		return fmt.Errorf("want at least the packages %s, have %d", strings.Join(names, " "), len(fetched))
	}
	for _, file := range fetched {
		target := filepath.Join(pool, poolName(filepath.Base(file)))
		if err := errors.Join(os.Rename(file, target), os.Chmod(target, 0o644)); err != nil {
			return err
		}
	}
	return nil
}

// poolName is the name that a package has in a repository: without the epoch, which apt puts
// into the names of the files that it keeps.
func poolName(kept string) string {
	return regexp.MustCompile(`_[0-9]+%3a`).ReplaceAllString(kept, "_")
}
