package templates

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// Who holds a lock of apt is in the file holder; a moment later it is over, unless it is stuck.
const (
	findStandIn  = `[ ! -e "$S/holder" ] || echo "/proc/$(cat "$S/holder")/fd/3"`
	sleepStandIn = `[ -e "$S/stuck" ] || rm -f "$S/holder"`
)

const aptGetStandIn = `
[ ! -e "$S/holder" ] || { echo "E: could not get lock" >&2; exit 100; }
downloading='' alone='' verb='' simulating=''
while [ $# -gt 0 ]; do
	case $1 in
	--option) case $2 in Dir::Etc::SourceList=*) alone=${2#*=} ;; esac; shift ;;
	--download-only) downloading=y ;;
	--simulate) simulating=y ;;
	-*) ;;
	*)
		[ -z "$verb" ] || break
		verb=$1
		;;
	esac
	shift
done
if once race; then echo "$OTHER" >"$S/holder"; echo "E: could not get lock" >&2; exit 100; fi
case $verb in
update)
	! once unreachable || { echo "E: not reachable" >&2; exit 100; }
	[ -n "$alone" ] || rm -f "$S/outdated"
	;;
install)
	while [ $# -gt 0 ]; do
		case $1 in
		--option) shift ;;
		-*) ;;
		*)
			[ ! -e "$S/outdated" ] || { echo "E: no version $1" >&2; exit 100; }
			if [ -n "$simulating" ]; then
				for name in "${1%=*}" $(depends "${1%=*}"); do has "$name" || printf 'Inst %s (1.0 a:1/b [amd64])\nConf %s (1.0 a:1/b [amd64])\n' "$name" "$name"; done
			elif [ -z "$downloading" ]; then
				add "${1%=*}" $(depends "${1%=*}")
				if once cut; then kill -KILL "$PPID"; exit 1; fi
			fi
			;;
		esac
		shift
	done
	;;
esac
`

const dpkgStandIn = `
case $1 in
--audit) cat "$S/half" 2>/dev/null || : ;;
--force-confold) add $(cat "$S/half"); rm "$S/half" ;;
--purge)
	shift
	failed=0
	[ ! -e "$S/holder" ] || { echo "dpkg: error: dpkg frontend lock was locked by another process" >&2; exit 2; }
	# What needs another one of them goes first.
	for round in 1 2 3 4 5 6 7 8; do
		for name in "$@"; do [ -n "$(needing "$name")" ] || drop "$name"; done
	done
	for name in "$@"; do
		! has "$name" || { echo "dpkg: error processing package $name (--purge): $(needing "$name") depends on $name" >&2; failed=1; }
	done
	exit "$failed"
	;;
esac
`

// Essential packages are in the file essential, NAME ESSENTIAL PROTECTED PRIORITY; whose files are those of the kernel in the
// file kernel; those that were removed and have left their configuration in the file removed.
const dpkgQueryStandIn = `
[ ! -e "$S/broken" ] || { echo "dpkg-query: error: parsing file '/var/lib/dpkg/status' near line 7" >&2; exit 2; }
case $* in
*Essential*) [ ! -e "$S/essential" ] || tr ' ' '\t' <"$S/essential" ;;
--search*) cat "$S/kernel" 2>/dev/null || exit 1 ;;
*)
	printf 'ii  dpkg\n'
	sed 's/^/ii  /' "$S/installed"
	sed 's/^/iF  /' "$S/half" 2>/dev/null || :
	[ ! -e "$S/removed" ] || while read -r name; do has "$name" || printf 'rc  %s\n' "$name"; done <"$S/removed"
	;;
esac
`

// The names that the indexes have.
const aptNamesStandIn = `[ -e "$S/outdated" ] || printf '%s\n' nfs-common nfs-ganesha open-iscsi rpcbind libnfsidmap1 kubelet`

func aptHost(t *testing.T) *standIns {
	t.Helper()
	return newStandIns(t, map[string]string{
		"apt-get": aptGetStandIn, "dpkg": dpkgStandIn, "apt-mark": "", "flock": "", "find": findStandIn, "sleep": sleepStandIn,
		"dpkg-query": dpkgQueryStandIn, "apt-helper": `cp "$S/key" "$3"`,
		"apt-cache": aptNamesStandIn,
	})
}

// other starts a program that could hold a lock, and has the stand-in for apt-get know of it.
func (s *standIns) other(script string) string {
	s.t.Helper()
	s.write("dpkg-lock", "")
	lock, err := os.Open(s.path("dpkg-lock"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer lock.Close()
	command := exec.CommandContext(s.t.Context(), "cat")
	command.ExtraFiles = []*os.File{lock}
	if _, err := command.StdinPipe(); err != nil {
		s.t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		command.Process.Kill()
		command.Wait()
	})
	pid := strconv.Itoa(command.Process.Pid)
	s.locker = pid
	s.hide = append(s.hide, "process "+pid, "process PID")
	return "OTHER=" + pid + "\nexport OTHER\n" + script
}

// held has that program hold the lock, for a moment or, with a file stuck, for good.
func (s *standIns) held() {
	s.t.Helper()
	if s.locker == "" {
		s.other("")
	}
	s.write("holder", s.locker+"\n")
}

// What apt is asked for by each verb.
func TestPackagesApt(t *testing.T) {
	script := Packages(Apt).Text()
	specs := []string{"install", "kubelet=1.37.2-*", "kubeadm=1.37.2-*", "kubectl=1.37.2-*", "cri-tools"}
	for _, c := range []struct {
		name string
		lay  map[string]string // files that lay out what happens
		args [][]string
	}{
		{name: "apt", args: [][]string{
			{"refresh", "/etc/apt/sources.list.d/docker.list", "/etc/apt/sources.list.d/kubernetes.list"}, specs,
			{"hold", "kubelet", "kubeadm", "kubectl"}, {"reinstall", "kubeadm=1.37.2-*"},
		}},
		{name: "apt-outdated", lay: map[string]string{"outdated": ""}, args: [][]string{specs}},
		{name: "apt-half-configured", lay: map[string]string{"half": "kubelet\n", "state/packages.pending": "kubelet absent\nkubernetes-cni absent\n"}, args: [][]string{specs}},
		{name: "apt-race", lay: map[string]string{"race": ""}, args: [][]string{{"refresh", "/etc/apt/sources.list.d/docker.list"}}},
		{name: "apt-proxy", lay: map[string]string{
			"etc/proxy.env": string(ProxyEnvironment(Proxy{HTTP: "http://a.lab:3128", HTTPS: "http://b.lab:3128", No: []string{"localhost", "10.0.0.0/8"}}).Content),
		}, args: [][]string{{"refresh", "/etc/apt/sources.list.d/docker.list"}, specs}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := aptHost(t)
			for name, text := range c.lay {
				s.write(name, text)
			}
			script := s.other(script)
			var b strings.Builder
			for _, args := range c.args {
				b.WriteString(s.ran(script, args...))
			}
			golden(t, "packages/"+c.name+".log", []byte(b.String()))
			if args := c.args[len(c.args)-1]; args[0] != "refresh" && !sameLines(strings.Split(s.read("state/ledger"), "\n"), strings.Split(framed(kubernetesLedger), "\n")) {
				t.Errorf("the ledger holds\n%s", s.read("state/ledger"))
			}
			s.wantNone("state/packages.pending", "state/packages.new", "state/packages.now")
		})
	}
}

// The options on which the promises of the script rest.
func TestPackagesAptOptions(t *testing.T) {
	s := aptHost(t)
	s.write("outdated", "")
	for _, c := range []struct {
		args []string
		want map[string][]string // the start of a line and what it has to hold
	}{
		{[]string{"refresh", "/a.list"}, map[string][]string{"apt-get --quiet --option": {
			" update ", "Dir::Etc::SourceList=/a.list", "Dir::Etc::SourceParts=/dev/null", "APT::Get::List-Cleanup=0", "APT::Update::Error-Mode=any",
			"DPkg::Lock::Timeout=600", "Dpkg::Use-Pty=0",
		}}},
		{[]string{"install", "a=1-*"}, map[string][]string{
			"apt-get --quiet=2 --yes --download-only": {" install a=1-*"},
			"apt-get --quiet --option DPkg::Lock::Timeout=600 --option Dpkg::Use-Pty=0 install": {
				"--yes", "--no-remove", "--no-install-recommends", "--allow-downgrades", "--allow-change-held-packages",
				"Dpkg::Options::=--force-confold", "APT::Keep-Downloaded-Packages=false", " a=1-*",
			},
		}},
		{[]string{"reinstall", "a=1-*"}, map[string][]string{"apt-get --quiet --option DPkg::Lock::Timeout=600 --option Dpkg::Use-Pty=0 install": {" --reinstall a=1-*"}}},
		{[]string{"hold", "a", "b"}, map[string][]string{"apt-mark": {" hold a b"}}},
	} {
		transcript := s.ran(Packages(Apt).Text(), c.args...)
		for start, options := range c.want {
			_, line, found := strings.Cut(transcript, "\n"+start)
			line, _, _ = strings.Cut(line, "\n")
			for _, option := range options {
				if !found || !strings.Contains(start+line, option) {
					t.Errorf("there is no %s in %s%s:\n%s", option, start, line, transcript)
				}
			}
		}
	}
}

// A key is fetched to its place at once and whole, or not at all.
func TestPackagesFetchKey(t *testing.T) {
	const armored = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
	s := aptHost(t)
	at := s.path("keyrings/docker.asc")
	s.write("key", "<html>please log in</html>\n")
	if transcript := s.refused(Packages(Apt).Text(), "key", "https://a.lab/gpg", at); !strings.Contains(transcript, "https://a.lab/gpg is not an armored OpenPGP key") {
		t.Errorf("it said\n%s", transcript)
	}
	s.wantNone("keyrings/docker.asc")
	s.write("key", armored)
	transcript := s.ran(Packages(Apt).Text(), "key", "https://a.lab/gpg", at)
	if !strings.Contains(transcript, "apt-helper download-file https://a.lab/gpg DIR/keyrings/docker.asc.fairlead-new\n") {
		t.Errorf("it was fetched by\n%s", transcript)
	}
	s.wantFile("keyrings/docker.asc", armored)
	s.wantNone("keyrings/docker.asc.fairlead-new")
}

func TestPackagesAptErrors(t *testing.T) {
	s := aptHost(t)
	s.write("unreachable", "")
	if transcript := s.refused(Packages(Apt).Text(), "refresh", "/a.list", "/never.list"); strings.Contains(transcript, "SourceList=/never.list") {
		t.Errorf("it went on after a failure:\n%s", transcript)
	}
	s.refused(Packages(Apt).Text(), "purge", "bash")
	// Others may take their time, but not all of it.
	script := s.other(strings.Replace(Packages(Apt).Text(), "patience=600 ", "patience=0 ", 1))
	s.held()
	s.write("stuck", "")
	if transcript := s.refused(script, "refresh", "/a.list"); !strings.Contains(transcript, "the package manager is still in use after 0 s by process PID: cat") || strings.Contains(transcript, "apt-get") {
		t.Errorf("it said\n%s", transcript)
	}
}

// An install that was cut off is accounted for by the next one.
func TestPackagesAptAfterACut(t *testing.T) {
	s := aptHost(t)
	s.write("cut", "")
	s.refused(Packages(Apt).Text(), "install", "kubelet=1.37.2-*", "kubeadm=1.37.2-*")
	s.wantNone("state/ledger")
	s.ran(Packages(Apt).Text(), "install", "kubelet=1.37.2-*", "kubeadm=1.37.2-*")
	s.wantLedgerFile("package kubelet absent\npackage kubernetes-cni absent\npackage cri-tools absent\npackage kubeadm absent\n")
}
