# In a mount namespace of its own. Has from the lines before: user, program, name, password, sudoers, doas, hide.
# shellcheck shell=sh disable=SC2154
set -eu
folder=/mnt # which every user may go into
mount -t tmpfs tmpfs "$folder"
chmod 755 "$folder"
cp -a /etc "$folder/etc"
mount --bind "$folder/etc" /etc
for place in /run /root /var/log /var/lib/sudo; do
  [ ! -d "$place" ] || mount -t tmpfs tmpfs "$place"
done
mkdir -p /run/sshd "$folder/home"
cp "$program" "$folder/program"

useradd --no-create-home --home-dir "$folder/home" --shell /bin/sh "$user"
chown "$user" "$folder/home"
printf '%s:%s\n' "$user" "$password" | chpasswd
rm -rf /etc/sudoers.d /etc/doas.conf
printf '%s' "$sudoers" >/etc/sudoers
chmod 440 /etc/sudoers
[ -z "$doas" ] || { printf '%s' "$doas" >/etc/doas.conf; chmod 400 /etc/doas.conf; }
[ "$hide" = false ] || mount --bind /dev/null "$(command -v sudo)"
cat >/etc/pam.d/sudo <<'PAM'
auth required pam_faillock.so preauth silent deny=100
auth sufficient pam_unix.so
auth [default=die] pam_faillock.so authfail deny=100
account required pam_faillock.so
account required pam_unix.so
session required pam_permit.so
PAM

code=0
setpriv --reuid "$user" --regid "$user" --init-groups env -i "PATH=$PATH" "HOME=$folder/home" "TMPDIR=$folder/home" \
  "FAIRLEAD_SUDO_CASE=$name" "$folder/program" -test.run '^TestRealSudo$' -test.v </dev/null || code=$?
failures=$(faillock --user "$user" | grep -c ' V$' || true)
leaks=$(grep -rFl -e "$password" /var/log /run 2>/dev/null | wc -l)
[ "$code" = 0 ] || exit "$code"
echo "failures=$failures leaks=$leaks"
