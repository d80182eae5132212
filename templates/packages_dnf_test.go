package templates

import (
	"strings"
	"testing"
)

const dnfStandIn = `
# What dnf asks before an install: version 4 has lines around it and breaks those of long names.
table() {
	rule=================================================================================
	new=''
	for spec in "$@"; do
		case $spec in
		'dnf-command(versionlock)') set -- python3-dnf-plugin-versionlock ;;
		*)
			name=${spec%-[0-9]*}
			if [ -e "$S/lockable" ] && grep -qxF "$name" "$S/locks" 2>/dev/null; then echo "no match for $spec: it is locked" >&2; exit 1; fi
			set -- "$name" $(depends "$name")
			;;
		esac
		for name in "$@"; do has "$name" || new="$new $name"; done
	done
	[ -n "$new" ] || { echo "Nothing to do."; exit 0; }
	printf '%s\n' "Dependencies resolved." "$rule" " Package       Architecture  Version        Repository     Size" "$rule" "Installing:"
	for name in $new; do
		case $name in
		python3-*) printf ' %s\n               noarch        4.3.0          baseos         11 k\n' "$name" ;;
		*) printf ' %-13s x86_64        1.0            kubernetes     1 M\n' "$name" ;;
		esac
	done
	printf '%s\n' "Upgrading:" " bash          x86_64        5.1            baseos         1 M" "     replacing  libc6.x86_64 2.0" "" "Transaction Summary" "$rule"
	printf 'Install  %s Packages\nUpgrade  1 Package\n\nOperation aborted.\n' "$(echo $new | wc -w)"
	exit 1
}
saysno=''
case " $* " in *" --assumeno "*) saysno=y ;; esac
while case ${1:-} in -*) : ;; *) false ;; esac; do shift; done
verb=$1; shift
case $verb in
makecache) ! once unreachable ;;
install)
	if [ -n "$saysno" ]; then
		table "$@"
		exit
	fi
	for spec in "$@"; do
		case $spec in
		'dnf-command(versionlock)') add python3-dnf-plugin-versionlock; : >"$S/lockable"; continue ;;
		esac
		name=${spec%-[0-9]*}
		if [ -e "$S/lockable" ] && grep -qxF "$name" "$S/locks" 2>/dev/null; then echo "no match for $spec: it is locked" >&2; exit 1; fi
		add "$name" $(depends "$name")
		if once cut; then kill -KILL "$PPID"; exit 1; fi
	done
	;;
reinstall) for spec in "$@"; do has "${spec%-[0-9]*}" || { echo "$spec is not installed" >&2; exit 1; }; done ;;
versionlock)
	[ -e "$S/lockable" ] || { echo "no such command: versionlock" >&2; exit 1; }
	what=$1; shift
	case $what in
	list) cat "$S/locks" 2>/dev/null || : ;;
	add) printf '%s\n' "$@" >>"$S/locks" ;;
	delete)
		grep -qxF "$1" "$S/locks" 2>/dev/null || { echo "$1 is not locked" >&2; exit 1; }
		sed -i "/^$1\$/d" "$S/locks"
		;;
	esac
	;;
*) echo "unknown command $verb" >&2; exit 2 ;;
esac
`

const rpmStandIn = `
case $1 in
--query)
	[ ! -e "$S/broken" ] || { echo "error: rpmdb: damaged header" >&2; exit 1; }
	case $* in
	*--file*) cat "$S/kernel" 2>/dev/null ;;
	*) printf 'rpm\n'; cat "$S/installed" ;;
	esac
	;;
--erase)
	shift
	for name in "$@"; do
		has "$name" || { echo "error: package $name is not installed" >&2; exit 1; }
		by=$(needing "$name")
		# All at once, or none.
		case " $* " in *" $by "*) continue ;; esac
		[ -z "$by" ] || { echo "error: Failed dependencies: $name is needed by (installed) $by" >&2; exit 1; }
	done
	drop "$@"
	;;
esac
`

func dnfHost(t *testing.T) *standIns {
	t.Helper()
	return newStandIns(t, map[string]string{"dnf": dnfStandIn, "rpm": rpmStandIn, "flock": "", "sleep": "echo sleeps >&2; exit 1"})
}

func kubernetesSpecs() []string {
	return []string{"kubelet-1.37.2", "kubeadm-1.37.2", "kubectl-1.37.2", "cri-tools"}
}

const kubernetesLedger = "package cri-tools absent\npackage kubeadm absent\npackage kubectl absent\npackage kubelet absent\npackage kubernetes-cni absent\n"

// What dnf is asked for by each verb: version 4 without its plugin for locks and with it, and
// version 5, which has locks of its own.
func TestPackagesDnf(t *testing.T) {
	for _, c := range []struct {
		name     string
		lockable bool
		plugin   string // what stands in the ledger of it
	}{
		{name: "dnf4", plugin: "package python3-dnf-plugin-versionlock absent\n"},
		{name: "dnf4-versionlock", lockable: true},
		{name: "dnf5", lockable: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := dnfHost(t)
			if c.lockable {
				s.write("lockable", "")
			}
			script := Packages(Dnf).Text()
			var b strings.Builder
			b.WriteString(s.ran(script, "refresh", "docker-ce-stable", "kubernetes"))
			b.WriteString(s.ran(script, append([]string{"install"}, kubernetesSpecs()...)...))
			b.WriteString(s.ran(script, "hold", "kubelet", "kubeadm", "kubectl"))
			b.WriteString(s.ran(script, "install", "kubelet-1.37.3")) // it was held
			b.WriteString(s.ran(script, "hold", "kubelet", "kubeadm", "kubectl"))
			b.WriteString(s.ran(script, "reinstall", "kubeadm-1.37.2"))
			golden(t, "packages/"+c.name+".log", []byte(b.String()))
			s.wantLedgerFile(kubernetesLedger + c.plugin)
			s.wantNone("state/packages.pending", "state/packages.new", "state/packages.now", "state/ledger.new")
		})
	}
}

// The ledger is added to: what it holds stays in its place, and nothing comes twice.
func TestPackagesKeepTheLedger(t *testing.T) {
	s := dnfHost(t)
	s.write("state/ledger", "file /etc/hosts absent\npackage kubeadm absent\n")
	for range 2 {
		s.ran(Packages(Dnf).Text(), append([]string{"install"}, kubernetesSpecs()...)...)
	}
	s.wantLedgerFile("file /etc/hosts absent\npackage kubeadm absent\n" + strings.Replace(kubernetesLedger, "package kubeadm absent\n", "", 1))
}

// An install that was cut off after packages came is accounted for by the next run, also by one
// that installs nothing more.
func TestPackagesAfterACut(t *testing.T) {
	for _, next := range []string{"install", "reinstall"} {
		s := dnfHost(t)
		s.write("cut", "")
		s.refused(Packages(Dnf).Text(), "install", "kubelet-1.37.2", "kubeadm-1.37.2")
		s.wantNone("state/ledger")
		s.wantFile("state/packages.pending", "cri-tools absent\nkubeadm absent\nkubelet absent\nkubernetes-cni absent\n")
		s.ran(Packages(Dnf).Text(), next, "kubelet-1.37.2")
		s.wantLedgerFile("package kubelet absent\npackage kubernetes-cni absent\n")
		s.wantNone("state/packages.pending")
	}
}

func TestPackagesDnfErrors(t *testing.T) {
	s := dnfHost(t)
	s.write("unreachable", "")
	for _, args := range [][]string{{"refresh", "kubernetes", "never"}, {"reinstall", "kubelet-1.37.2"}, {"remove", "bash"}} {
		if transcript := s.refused(Packages(Dnf).Text(), args...); strings.Contains(transcript, "never ") {
			t.Errorf("it went on after a failure:\n%s", transcript)
		}
	}
	s.wantNone("state/ledger")
}
