package model

import (
	"context"
	"errors"
	"fmt"

	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/plan"
)

// errCut is the failure that is put into the way of a run.
var errCut = errors.New("cut off")

// cut says where a run ends early.
type cut struct {
	armed bool
	at    int // the place: that many are done before
	// kill ends all that runs, as the death of the laptop would; else only one action fails.
	kill bool
	// late has kubeadm and package managers be cut off at the end of their work.
	late bool
	// restart has the host go away at the place and start anew: whatever else was at work on it fails, too.
	restart bool

	reached    bool
	lost       string // the host that went away
	keepsToken bool   // it was the end of the token that failed
}

// cutOff lets the run that comes next fail at the nth place. At every third one the host goes away, too.
func (s *Simulation) cutOff(n int, kill, late bool) {
	s.performed = 0
	s.cut = cut{armed: true, at: n, kill: kill, late: late, restart: (n+n/12)%3 == 1}
}

// uncut lets runs go through again, and says whether the place was reached.
func (s *Simulation) uncut() (reached, keepsToken bool) {
	was := s.cut
	s.cut = cut{}
	return was.reached, was.keepsToken
}

// place is where a run can be cut off; the error says that it is.
func (s *Simulation) place(step plan.Step) error {
	s.turns.wait(step.ID)
	n := s.performed
	s.performed++
	switch {
	case !s.cut.armed || n < s.cut.at:
		return nil
	case n == s.cut.at:
		s.cut.reached, s.cut.keepsToken = true, step.ID == plan.ClusterRevoke || s.cut.kill
		if s.cut.restart {
			s.cut.lost = step.Host
		}
		return errCut
	case s.cut.kill, s.cut.lost != "" && step.Host == s.cut.lost:
		return errKilled
	}
	return nil
}

// errKilled is what happens to those that were not at the place when a run was killed.
var errKilled = fmt.Errorf("killed: %w", errCut)

// perform does the actions of a step. Between them, and within the long ones, other steps go on.
func (s *Simulation) perform(_ context.Context, step plan.Step) error {
	s.turns.wait(step.ID)
	if step.Lock != "" {
		if other := s.locked[step.Lock]; other != "" {
			s.t.Errorf("step %s runs beside %s, which has the lock %q (seed %d)", step.ID, other, step.Lock, s.seed)
		}
		s.locked[step.Lock] = step.ID
		defer delete(s.locked, step.Lock)
	}
	err := s.change(step.Host, func(h *facts.Host) error {
		for _, touched := range ledger.Unrecorded(step.Touches(), h.Ledger) {
			h.Ledger = append(h.Ledger, ledger.Entry{Kind: touched.Kind, Key: touched.Key, Was: record(h, touched)})
		}
		return nil
	})
	for _, action := range step.Actions {
		failure := s.place(step)
		if errors.Is(failure, errKilled) {
			return failure
		}
		err = s.act(step, action, failure != nil)
		s.wantServed(step)
		if failure != nil && s.cut.lost != "" {
			err = errors.Join(err, s.restart(s.cut.lost))
		}
		if err != nil || failure != nil {
			return errors.Join(err, failure)
		}
	}
	s.turns.wait(step.ID)
	return err
}

// alone says why an action cannot work where another step is at work already. Others go on
// before it is done, for it takes long.
func (s *Simulation) alone(step plan.Step, where string, act func() error) error {
	if other := s.busy[where]; other != "" {
		return fmt.Errorf("%s is in use by %s (seed %d)", where, other, s.seed)
	}
	s.busy[where] = step.ID
	for range 5 {
		s.turns.wait(step.ID)
	}
	delete(s.busy, where)
	return act()
}

// act does an action, or of kubeadm's and the package manager's only a part. Others that fail
// do nothing: each of them is one change.
func (s *Simulation) act(step plan.Step, action plan.Action, half bool) error {
	switch a := action.(type) {
	case plan.KubeadmInit:
		return s.init(step, a, half)
	case plan.KubeadmJoin:
		return s.join(step, a, half)
	case plan.ChangeStaticPod:
		return s.changeStaticPod(step.Host, a, half)
	case plan.Script:
		return s.runScript(step, a, half)
	}
	if half {
		return nil
	}
	if done, err := s.actOnCluster(step, action); done {
		return err
	}
	return s.change(step.Host, func(h *facts.Host) error { return s.actOnHost(step.Host, h, action) })
}
