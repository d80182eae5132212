package lab

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// User is the login of every lab host; it has passwordless sudo.
const User = "fairlead"

// imageRepository is the name, without a tag, of the images that hosts are started from.
const imageRepository = "fairlead-lab"

//go:embed rootfs
var rootfs embed.FS

// Debian says what a Debian root file system holds, in mmdebstrap's words.
type Debian struct {
	Suite    string
	Variant  string
	Packages []string // without what they depend on
}

// RootFS returns what the root file system of every lab host holds.
func RootFS() Debian {
	return Debian{Suite: "bookworm", Variant: "minbase", Packages: []string{
		"systemd", "systemd-sysv", "dbus", "openssh-server", "sudo", "iproute2", "iptables", "nftables",
		"conntrack", "socat", "ethtool", "kmod", "ca-certificates", "procps", "psmisc", "util-linux", "mount",
		"iputils-ping", "curl", "openssl", "gzip", "tar", "jq", "less", "fish", "tcsh", "opendoas",
	}}
}

// bootstrapArgs are mmdebstrap's arguments but for the output file. Host keys and the machine ID are made by
// each host at its first start.
func bootstrapArgs() []string {
	root := RootFS()
	return []string{
		"--variant=" + root.Variant,
		"--include=" + strings.Join(root.Packages, ","),
		"--dpkgopt=path-exclude=/usr/share/man/*",
		"--dpkgopt=path-exclude=/usr/share/locale/*",
		"--dpkgopt=path-exclude=/usr/share/doc/*",
		`--customize-hook=rm -f "$1"/etc/ssh/ssh_host_*`,
		`--customize-hook=chroot "$1" useradd --create-home --shell /bin/bash ` + User,
		root.Suite,
	}
}

// maskedUnits make no sense in a container, or would change the machine below it.
func maskedUnits() []string {
	return []string{
		"getty.target", "console-getty.service", "systemd-logind.service", "systemd-udevd.service",
		"systemd-udevd-control.socket", "systemd-udevd-kernel.socket", "systemd-udev-trigger.service",
		"systemd-udev-settle.service", "systemd-networkd.service", "systemd-networkd.socket", "systemd-timesyncd.service",
		"systemd-remount-fs.service", "systemd-firstboot.service", "systemd-random-seed.service",
		"systemd-pstore.service", "systemd-sysusers.service", "modprobe@.service", "systemd-journal-flush.service", "systemd-hwdb-update.service",
		"dev-hugepages.mount", "dev-mqueue.mount", "sys-kernel-config.mount", "sys-kernel-debug.mount",
		"sys-kernel-tracing.mount", "sys-fs-fuse-connections.mount", "proc-sys-fs-binfmt_misc.automount",
		"apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer",
		"e2scrub_reap.service", "fstrim.timer", "motd-news.timer",
	}
}

// entry is one file, or link where target is set, laid over the root file system.
type entry struct {
	path   string
	mode   int64
	data   []byte
	target string
}

// overlay returns what is laid over the Debian root file system, in a fixed order.
func overlay() ([]entry, error) {
	initScript, err := fs.ReadFile(rootfs, "rootfs/lab-init")
	if err != nil {
		return nil, fmt.Errorf("read embedded file: %w", err)
	}
	sshd, err := fs.ReadFile(rootfs, "rootfs/sshd.conf")
	if err != nil {
		return nil, fmt.Errorf("read embedded file: %w", err)
	}
	entries := []entry{
		{path: "usr/local/sbin/lab-init", mode: 0o755, data: initScript},
		{path: "etc/ssh/sshd_config.d/lab.conf", mode: 0o644, data: sshd},
		{path: "etc/default/ssh", mode: 0o644, data: []byte("SSHD_OPTS=\"-E /var/log/sshd.log\"\n")},
		{path: "etc/sudoers.d/" + User, mode: 0o440, data: []byte(User + " ALL=(ALL) NOPASSWD: ALL\n")},
		{path: "etc/fstab", mode: 0o644},
		{path: "etc/hostname", mode: 0o644},
		{path: "etc/hosts", mode: 0o644},
		{path: "etc/resolv.conf", mode: 0o644},
		{path: "etc/machine-id", mode: 0o444},
	}
	for _, unit := range maskedUnits() {
		entries = append(entries, entry{path: "etc/systemd/system/" + unit, mode: 0o777, target: "/dev/null"})
	}
	return entries, nil
}

// importChanges are the image settings that docker import accepts.
func importChanges() []string {
	return []string{"-c", "ENV container=docker", "-c", `ENTRYPOINT ["/usr/local/sbin/lab-init"]`}
}

// recipeHash names whatever is made from the parts: equal parts give the equal name.
func recipeHash(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:6])
}

// imageName returns the image's name; its tag is the hash of everything that the image is made from.
func imageName(entries []entry) string {
	parts := append(bootstrapArgs(), importChanges()...)
	for _, e := range entries {
		parts = append(parts, e.path, fmt.Sprint(e.mode), string(e.data), e.target)
	}
	return imageRepository + ":" + recipeHash(parts...)
}

// ensureImage returns the name of the hosts' image and makes what is missing of it: the Debian root file system in
// the cache folder (minutes, needs a Debian mirror) and the image (seconds).
func (m *machine) ensureImage(ctx context.Context) (string, error) {
	entries, err := overlay()
	if err != nil {
		return "", err
	}
	name := imageName(entries)
	id, err := m.docker(ctx, nil, "image", "ls", "--quiet", name)
	if err != nil || id != "" {
		return name, err
	}
	base, err := m.ensureBase(ctx)
	if err != nil {
		return "", err
	}
	m.log.Printf("import image %s", name)
	if err := m.importImage(ctx, base, name, entries); err != nil {
		return "", fmt.Errorf("import image %s: %w", name, err)
	}
	return name, nil
}

// ensureBase returns the path of the Debian root file system, a tar file in the cache folder.
func (m *machine) ensureBase(ctx context.Context) (string, error) {
	file := filepath.Join(m.cache, "rootfs-"+recipeHash(bootstrapArgs()...)+".tar")
	if _, err := os.Stat(file); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return file, err
	}
	if err := m.ensureCommands(ctx, "mmdebstrap"); err != nil {
		return "", err
	}
	m.log.Printf("make root file system %s (takes minutes)", file)
	// mmdebstrap chooses the format by the file name's ending.
	part := strings.TrimSuffix(file, ".tar") + fmt.Sprintf(".%d.part.tar", os.Getpid())
	out, err := exec.CommandContext(ctx, "mmdebstrap", append(bootstrapArgs(), part)...).CombinedOutput()
	if err != nil {
		return "", errors.Join(fmt.Errorf("make root file system: mmdebstrap: %w: %s", err, tail(string(out))), removeFile(part))
	}
	return file, os.Rename(part, file)
}

// importImage feeds docker import with the base tar file and the overlay behind it.
func (m *machine) importImage(ctx context.Context, base, name string, entries []entry) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	args := append([]string{"import"}, importChanges()...)
	cmd := exec.CommandContext(ctx, m.client, append(args, "-", name)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	layErr := layTar(in, base, entries)
	if layErr != nil {
		cancel() // an import that ends regularly would name half a file system
	}
	err = errors.Join(layErr, in.Close(), cmd.Wait())
	if err != nil {
		return fmt.Errorf("%w: %s", err, tail(stderr.String()))
	}
	return nil
}

// layTar copies the tar file base to w without the files that entries replace, then appends entries.
func layTar(w io.Writer, base string, entries []entry) error {
	file, err := os.Open(base)
	if err != nil {
		return err
	}
	replaced := make(map[string]bool, len(entries))
	for _, e := range entries {
		replaced[e.path] = true
	}
	out := tar.NewWriter(w)
	err = errors.Join(copyTar(out, tar.NewReader(file), replaced), file.Close())
	for _, e := range entries {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: e.path, Mode: e.mode, Size: int64(len(e.data))}
		if e.target != "" {
			header.Typeflag, header.Linkname = tar.TypeSymlink, e.target
		}
		if err == nil {
			err = out.WriteHeader(header)
		}
		if err == nil {
			_, err = out.Write(e.data)
		}
	}
	return errors.Join(err, out.Close())
}

// copyTar copies all entries but those whose cleaned name is in skip.
func copyTar(w *tar.Writer, r *tar.Reader, skip map[string]bool) error {
	for {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if skip[strings.TrimPrefix(filepath.Clean("/"+header.Name), "/")] {
			continue
		}
		if err := w.WriteHeader(header); err != nil {
			return err
		}
		if _, err := io.Copy(w, r); err != nil {
			return err
		}
	}
}
