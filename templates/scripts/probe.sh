# Reads all facts of a host in one go and changes nothing. What varies is asked for by its
# arguments, KIND:NAME each; it has no lists of its own:
#   path         a file, a folder or a socket       path-like    the files that a pattern fits
#   text         small files whose text is wanted (a pattern)
#   certificate  files with certificates (a pattern)
#   unit         a systemd unit (or a pattern)      sysctl       a kernel parameter, with slashes
#   module       a kernel module                    package      a package that may be installed
#   candidate    a package that could be            program      one that is asked for its version
#   tool         a program that has to be there     disk         a folder whose file system is measured
#   reach        HOST:PORT that is connected to     readyz       the same, and a control plane asks it for /readyz
#   folder       one that should be empty           kubeconfig   a file in /etc/kubernetes
#   login-key    a public key that may let somebody log in
#   remains      (no name) what reset must leave none of
# Prints one fact a line: its name, then tab-separated fields. The last line is "end"; an
# answer without it is incomplete.
#
# It runs on every host at the start and at the end of every run, so it starts few
# processes: what one of them can read for all is not read by one each.
# shellcheck disable=SC2034,SC2154 # variables and functions of the texts around it
set -u
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH

tab=$(printf '\t')
cr=$(printf '\r')
newline='
'
unchanged=

machine
tools "$@"
network
sshd_limits
login_keys "$@"
kernel
modules "$@"
sysctls "$@"
boot_sysctls "$@"
disks "$@"
files "$@"
contents "$@"
units=$(units "$@")
[ -z "$units" ] || printf '%s\n' "$units"
packages "$@"
environment
software "$@"
cluster "$@"
certificates "$@"
folders "$@"
endpoints "$@"
registry
for asked in "$@"; do
	case $asked in remains:) remains ;; esac
done
fact end
