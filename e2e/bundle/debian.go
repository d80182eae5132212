package bundle

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// rootFile is the name of the tar file in the cache entry of a base.
const rootFile = "root.tar"

// debianRoot makes the base's root file system as a tar file in dir.
func debianRoot(ctx context.Context, b base, arch, dir string, log logger) error {
	argv := []string{
		"mmdebstrap", "--variant=" + b.Variant, "--architectures=" + debianArch(arch),
		"--include=" + strings.Join(b.Packages, ","), "--aptopt=Apt::Install-Recommends \"false\"",
	}
	for _, path := range b.Exclude {
		argv = append(argv, "--dpkgopt=path-exclude="+path)
	}
	argv = append(argv, b.Suite, filepath.Join(dir, rootFile))
	_, err := (command{argv: argv, env: []string{"SOURCE_DATE_EPOCH=1"}, live: log.w}).run(ctx)
	return err
}

// debianArch is Debian's word for an architecture that Go names otherwise.
func debianArch(arch string) string {
	switch arch {
	case "arm":
		return "armhf"
	case "386":
		return "i386"
	default:
		return arch
	}
}

// ensurePackages installs the Debian packages that are missing, or says which to install.
func ensurePackages(ctx context.Context, packages []string, log logger) error {
	var missing []string
	for _, name := range packages {
		status, err := command{argv: []string{"dpkg-query", "-W", "-f", "${db:Status-Status}", name}}.run(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil || status != "installed" {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return fmt.Errorf("build needs packages that are not installed: as root, run: apt-get install %s", strings.Join(missing, " "))
	}
	log.printf("installing %s", strings.Join(missing, " "))
	env := []string{"DEBIAN_FRONTEND=noninteractive"}
	if _, err := (command{argv: []string{"apt-get", "update", "-q"}, env: env}).run(ctx); err != nil {
		return err
	}
	argv := append([]string{"apt-get", "install", "-q", "-y", "--no-install-recommends"}, missing...)
	_, err := command{argv: argv, env: env}.run(ctx)
	return err
}
