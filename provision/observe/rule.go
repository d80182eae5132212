package observe

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"fairlead/provision/facts"
)

// rule says how many fields a fact has and where they go. What it reads it checks whole before it keeps anything of it.
type rule struct {
	fields int
	// plain is how many of the fields are texts, which are made printable: -1 for all.
	plain int
	// named says that the first field must not be empty.
	named bool
	// private says that fields but the first may be secret, or very long.
	private bool
	read    func(*facts.Host, []string) error
}

// apply reads the fields of a line.
func (r rule) apply(f *facts.Host, fields []string) error {
	if len(fields) != r.fields {
		return fmt.Errorf("it has %s, want %d", counted(len(fields)), r.fields)
	}
	fields = printable(fields, r.plain)
	if r.named && fields[0] == "" {
		return errors.New("it has no name")
	}
	return r.read(f, fields)
}

// unread is a line that could not be read.
func (r rule) unread(name string, fields []string, why error) facts.Unread {
	of, values := "", fields
	if r.fields > 1 {
		of, values = fields[0], fields[1:]
	}
	if r.private {
		values = nil
	}
	return facts.NewUnread(name, of, strings.TrimSpace(strings.Join(values, " ")), why.Error())
}

func counted(fields int) string {
	if fields == 1 {
		return "1 field"
	}
	return fmt.Sprintf("%d fields", fields)
}

// printable are fields of which the first are made printable.
func printable(fields []string, plain int) []string {
	clean := make([]string, len(fields))
	for i, field := range fields {
		if clean[i] = field; plain < 0 || i < plain {
			clean[i] = facts.Printable(field)
		}
	}
	return clean
}

// checked is the rule of a fact that has to be in order.
func checked(fields int, read func(*facts.Host, []string) error) rule {
	return rule{fields: fields, plain: -1, read: read}
}

// text is the rule of a fact that is kept as it is.
func text(fields int, keep func(*facts.Host, []string)) rule {
	return checked(fields, func(f *facts.Host, v []string) error { keep(f, v); return nil })
}

// withName is a rule whose first field must not be empty.
func withName(r rule) rule {
	r.named = true
	return r
}

// named is the rule of a fact that is kept as it is, by the name that comes first.
func named(fields int, keep func(*facts.Host, []string)) rule { return withName(text(fields, keep)) }

// word is the rule of a fact that is one of two words.
func word(yes, no string, keep func(*facts.Host, bool)) rule {
	return checked(1, func(f *facts.Host, v []string) error {
		is, err := either(v[0], yes, no)
		if err == nil {
			keep(f, is)
		}
		return err
	})
}

// number is the rule of a fact with one number, which is not negative.
func number(keep func(*facts.Host, int64)) rule {
	return checked(1, func(f *facts.Host, v []string) error {
		n, err := unsigned(v[0])
		if err == nil {
			keep(f, n)
		}
		return err
	})
}

// either says whether a word is the first of two, and that it is one of them.
func either(is, yes, no string) (bool, error) {
	if is != yes && is != no {
		return false, fmt.Errorf("it is neither %s nor %s", yes, no)
	}
	return is == yes, nil
}

// unsigned reads a number, up to what an int64 holds.
func unsigned(text string) (int64, error) { return parsed(strconv.ParseInt(text, 10, 64)) }

// parsed says in words why a number cannot be read: the value itself is told elsewhere.
func parsed[N int64 | uint64](n N, err error) (N, error) {
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, errors.New("the number is too large")
	case err != nil:
		return 0, errors.New("it is no number")
	case n < 0:
		return 0, errors.New("the number is negative")
	}
	return n, nil
}
