package templates

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

// layer is a tar+gzip layer with one program.
func (s *standIns) layer(path, text string, mode int64) string {
	s.t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	header := &tar.Header{Name: strings.TrimPrefix(s.rooted(path), "/"), Mode: mode, Size: int64(len(text)), Uid: 1000, Gid: 1000, Typeflag: tar.TypeReg}
	for _, err := range []error{w.WriteHeader(header), write(w, text), w.Close(), z.Close()} {
		if err != nil {
			s.t.Fatal(err)
		}
	}
	return b.String()
}

func write(w *tar.Writer, text string) error {
	_, err := w.Write([]byte(text))
	return err
}

const (
	kubeletProgram = "/usr/local/bin/kubelet"
	kubeadmProgram = "/usr/local/bin/kubeadm"
)

// layersHost has a kubelet and no kubeadm, and something left of an install that was killed.
func layersHost(t *testing.T) *standIns {
	t.Helper()
	s := newHost(t, map[string]string{"chown": "", "flock": `readlink "/proc/$$/fd/$1" >>"$S/log"`, "tar": `exec "$S/tools/tar" "$@"`})
	s.put(kubeletProgram, "the former kubelet")
	s.put(kubeadmProgram+".fairlead-new", "half a kubeadm")
	s.mkdir("/var/lib/fairlead")
	return s
}

func layersArgs() []string {
	return []string{"1111:" + kubeletProgram, "2222:" + kubeadmProgram}
}

// wantNothingInstalled fails the test if anything changed by a stream that was not whole.
func (s *standIns) wantNothingInstalled(transcript string, ok bool) {
	s.t.Helper()
	if ok {
		s.t.Errorf("it went well:\n%s", transcript)
	}
	s.wantText(kubeletProgram, "the former kubelet")
	s.wantGone(kubeadmProgram, kubeadmProgram+".fairlead-new", kubeletProgram+".fairlead-new", "/var/lib/fairlead/hashes")
}

// Files come whole and by a rename, as root's, with their modes, and the probe need not hash them.
func TestInstallLayers(t *testing.T) {
	s := layersHost(t)
	s.put("/var/lib/fairlead/hashes", "9999\t1:2:3:4\t/etc/other\n8888\told\t"+kubeletProgram+"\n")
	kubelet := bytes.Repeat([]byte("kubelet "), 100_000)
	transcript, ok := s.fed(s.layer(kubeletProgram, string(kubelet), 0o755)+s.layer(kubeadmProgram, "kubeadm", 0o775), ScriptInstallLayers.Text(), layersArgs()...)
	want := "$ 1111:/usr/local/bin/kubelet 2222:/usr/local/bin/kubeadm\n" +
		"tar --extract --gzip --ignore-zeros --file - --directory / --no-same-owner --transform s|$|.fairlead-new| --show-transformed-names --preserve-permissions\n" +
		"chown 0:0 /usr/local/bin/kubelet.fairlead-new\nchown 0:0 /usr/local/bin/kubeadm.fairlead-new\nflock 9\n/var/lib/fairlead/lock\n"
	if !ok || transcript != want {
		t.Errorf("it did\n%s\ninstead of\n%s", transcript, want)
	}
	s.wantText(kubeletProgram, string(kubelet))
	s.wantText(kubeadmProgram, "kubeadm")
	s.wantMode(kubeletProgram, 0o755)
	s.wantMode(kubeadmProgram, 0o775)
	s.wantGone(kubeletProgram+".fairlead-new", kubeadmProgram+".fairlead-new", "/var/lib/fairlead/hashes.new")
	s.wantMode("/var/lib/fairlead/hashes", 0o600)
	lines := strings.Split(strings.TrimSuffix(s.text("/var/lib/fairlead/hashes"), "\n"), "\n")
	if len(lines) != 3 {
		t.Errorf("the hashes are\n%s", strings.Join(lines, "\n"))
	}
	for _, want := range []string{"9999\t1:2:3:4\t/etc/other", s.hashLine("1111", kubeletProgram), s.hashLine("2222", kubeadmProgram)} {
		found := 0
		for _, line := range lines {
			if line == want {
				found++
			}
		}
		if found != 1 {
			t.Errorf("%q is %d times in\n%s", want, found, strings.Join(lines, "\n"))
		}
	}
}

// hashLine is the line of a file in the list that the probe compares with what it sees.
func (s *standIns) hashLine(sum, path string) string {
	s.t.Helper()
	info, err := os.Stat(s.at(path))
	if err != nil {
		s.t.Fatal(err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		s.t.Fatalf("%T is not what stat answers", info.Sys())
	}
	return fmt.Sprintf("%s\t%d:%d:%d.%09d:%d.%09d\t%s", sum, stat.Ino, stat.Size, stat.Mtim.Sec, stat.Mtim.Nsec, stat.Ctim.Sec, stat.Ctim.Nsec, path)
}

// The transfer may end anywhere, and bytes may be wrong: nothing is installed then.
func TestInstallLayersOfABrokenStream(t *testing.T) {
	for name, broken := range map[string]func(first, second string) string{
		"nothing":                  func(string, string) string { return "" },
		"no layer at all":          func(string, string) string { return "<html>please log in</html>" },
		"half a layer":             func(first, _ string) string { return first[:len(first)/2] },
		"a layer and a half":       func(first, second string) string { return first + second[:len(second)/2] },
		"the last byte is missing": func(first, second string) string { return first + second[:len(second)-1] },
		// gzip ends with a checksum and a size, four bytes each.
		"no checksum":      func(first, second string) string { return first + second[:len(second)-8] },
		"a wrong checksum": func(first, second string) string { return first + flip(second, len(second)-8) },
		"the first one's":  func(first, second string) string { return flip(first, len(first)-8) + second },
	} {
		t.Run(name, func(t *testing.T) {
			s := layersHost(t)
			stream := broken(s.layer(kubeletProgram, "kubelet", 0o755), s.layer(kubeadmProgram, "kubeadm", 0o755))
			transcript, ok := s.fed(stream, ScriptInstallLayers.Text(), layersArgs()...)
			s.wantNothingInstalled(transcript, ok)
		})
	}
}

func flip(text string, at int) string {
	bytes := []byte(text)
	bytes[at] ^= 1
	return string(bytes)
}

// A layer that is missing is one that the stream did not hold, whatever is left of an earlier one.
func TestInstallLayersWithoutOne(t *testing.T) {
	s := layersHost(t)
	transcript, ok := s.fed(s.layer(kubeletProgram, "kubelet", 0o755), ScriptInstallLayers.Text(), layersArgs()...)
	s.wantNothingInstalled(transcript, ok)
	if !strings.HasSuffix(transcript, "| the stream did not hold /usr/local/bin/kubeadm\nexit status 1\n") {
		t.Errorf("it said\n%s", transcript)
	}
}

// What has come so far is thrown away when the connection goes.
func TestInstallLayersCutOff(t *testing.T) {
	for _, signal := range []string{"HUP", "INT", "TERM"} {
		s := layersHost(t)
		s.write("bin/tar", standInPrelude+`"$S/tools/tar" "$@"; kill -`+signal+" $PPID\n")
		transcript, ok := s.fed(s.layer(kubeletProgram, "kubelet", 0o755)+s.layer(kubeadmProgram, "kubeadm", 0o755), ScriptInstallLayers.Text(), layersArgs()...)
		s.wantNothingInstalled(transcript, ok)
	}
}
