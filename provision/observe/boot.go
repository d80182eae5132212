package observe

import (
	"strings"

	"fairlead/provision/facts"
)

func readSysctlLine(f *facts.Host, v []string) error {
	line, err := unsigned(v[1])
	if err == nil {
		f.SysctlLines = append(f.SysctlLines, facts.SysctlLine{Path: v[0], Line: int(line), Key: v[2], Value: v[3]})
	}
	return err
}

// unquote is a value of systemctl show-environment as it is: one with characters that a shell takes for its own is shown as
// $'…', with backslashes (systemd, basic/escape: shell_maybe_quote).
func unquote(shown string) string {
	inner, begins := strings.CutPrefix(shown, "$'")
	inner, ends := strings.CutSuffix(inner, "'")
	if !begins || !ends {
		return shown
	}
	return strings.NewReplacer(`\\`, `\`, `\'`, `'`, `\n`, "\n", `\t`, "\t").Replace(inner)
}
