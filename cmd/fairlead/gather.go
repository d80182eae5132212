package main

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"fairlead/inventory"
	"fairlead/provision/event"
	"fairlead/provision/plan"
)

// alike is an event that several hosts have had, in words that fit all of them.
type alike struct {
	hosts []string // in inventory order; one that is empty is the cluster
	event event.Event
}

// gatherer holds back events that hosts bring one right after another, until one of another kind comes. What they say alike
// is then said once.
type gatherer struct {
	hosts map[string]inventory.Host
	order map[string]int // of the hosts in the inventory
	held  []event.Event
	first map[string]string // cause of failed steps → where it was shown first
}

func newGatherer(hosts []inventory.Host) gatherer {
	g := gatherer{hosts: map[string]inventory.Host{}, order: map[string]int{"": len(hosts)}, first: map[string]string{}}
	for i, host := range hosts {
		g.hosts[host.Name], g.order[host.Name] = host, i
	}
	return g
}

// gathers says whether an event is one that many hosts may have alike.
func gathers(e event.Event) bool {
	switch e.Kind {
	case event.Found, event.BlockedStep, event.Skipped, event.Failed:
		return true
	case event.Observed:
		return e.Error != ""
	}
	return false
}

// add takes an event and returns what is to be shown by now.
func (g *gatherer) add(e event.Event) []alike {
	switch {
	case e.Kind == event.Observed && e.Error == "" && g.holds(e.Kind):
		return []alike{{hosts: []string{e.Host}, event: e}} // hosts that are looked at do so between one another
	case !gathers(e):
		return append(g.rest(), alike{hosts: []string{e.Host}, event: e})
	case g.holds(e.Kind):
		g.held = append(g.held, e)
		return nil
	}
	shown := g.rest()
	g.held = []event.Event{e}
	return shown
}

// holds says whether what is held is of this kind.
func (g *gatherer) holds(kind event.Kind) bool { return len(g.held) > 0 && g.held[0].Kind == kind }

// rest returns what is held.
func (g *gatherer) rest() []alike {
	if g.holds(event.Observed) { // these come as hosts answer
		slices.SortStableFunc(g.held, func(a, b event.Event) int { return cmp.Compare(g.order[a.Host], g.order[b.Host]) })
	}
	var all []alike
	for _, same := range grouped(g.held, g.words) {
		var hosts []string
		for _, e := range same {
			hosts = append(hosts, e.Host)
		}
		slices.SortStableFunc(hosts, func(a, b string) int { return cmp.Compare(g.order[a], g.order[b]) })
		a := alike{hosts: slices.Compact(hosts), event: same[0]}
		if len(a.hosts) > 1 {
			a.event = neutralEvent(a.event, g.hosts[a.event.Host])
			a.event.Seconds = slices.MaxFunc(same, func(a, b event.Event) int { return cmp.Compare(a.Seconds, b.Seconds) }).Seconds
		}
		all = append(all, g.once(a, g.reason(same[0])))
	}
	g.held = nil
	return all
}

// words are equal for events that say the same of their hosts.
func (g *gatherer) words(e event.Event) string {
	e.Seconds = 0
	text := eventText(e)
	if e.Kind == event.Failed {
		text += e.Error
	}
	return string(e.Kind) + neutral(text, g.hosts[e.Host])
}

// reason is why a step failed, in words that are equal for hosts with the same trouble, whatever they were at.
func (g *gatherer) reason(e event.Event) string { return neutral(e.Error, g.hosts[e.Host]) }

// once leaves away why a step failed where it has failed like that on another host before.
func (g *gatherer) once(a alike, reason string) alike {
	if a.event.Kind != event.Failed {
		return a
	}
	if before, known := g.first[reason]; known && before != a.hosts[0] {
		a.event.Error = "as on " + place(before)
		return a
	}
	g.first[reason] = a.hosts[0]
	return a
}

// neutralEvent is an event of a host in words that fit others, too.
func neutralEvent(e event.Event, host inventory.Host) event.Event {
	e.Title, e.Message, e.Error = neutral(e.Title, host), neutral(e.Message, host), neutral(e.Error, host)
	if e.Finding != nil {
		finding := neutralFinding(*e.Finding, host)
		e.Finding = &finding
	}
	return e
}

func neutralFinding(f plan.Finding, host inventory.Host) plan.Finding {
	f.Message, f.Fix = neutral(f.Message, host), neutral(f.Fix, host)
	return f
}

// grouped puts those together that have the same words, each group where its first one was.
func grouped[T any](all []T, words func(T) string) [][]T {
	var groups [][]T
	where := map[string]int{}
	for _, one := range all {
		key := words(one)
		i, known := where[key]
		if !known {
			i = len(groups)
			where[key], groups = i, append(groups, nil)
		}
		groups[i] = append(groups[i], one)
	}
	return groups
}

// neutral is a text about a host in words that fit others, too: NAME and ADDRESS stand for the host's own.
func neutral(text string, host inventory.Host) string {
	if host.SSH.Address != "" {
		text = replaceWord(text, host.SSH.Address, "ADDRESS")
	}
	if host.Address.IsValid() {
		text = replaceWord(text, host.Address.String(), "ADDRESS")
	}
	if host.Name != "" {
		text = replaceWord(text, host.Name, "NAME")
	}
	return text
}

// replaceWord replaces a word where it is not a part of another one.
func replaceWord(text, word, with string) string {
	var b strings.Builder
	for {
		i := strings.Index(text, word)
		if i < 0 {
			return b.String() + text
		}
		before, after := text[:i], text[i+len(word):]
		part := goesOn(before[max(0, i-1):], "-_.:") || goesOn(after[:min(1, len(after))], "-_")
		b.WriteString(before)
		if part {
			b.WriteString(word)
		} else {
			b.WriteString(with)
		}
		text = after
	}
}

// goesOn says whether a character is of a word that was found beside it; also says which are beside letters and digits.
func goesOn(char, also string) bool {
	return char != "" && (strings.Contains(also, char) || unicode.IsLetter(rune(char[0])) || unicode.IsDigit(rune(char[0])))
}
