package notify

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
)

// outageStore has one outage in memory.
type outageStore struct {
	state ChannelState
	told  int
	again time.Time
	ended []Recovery
	said  []string
}

func (s *outageStore) Recoveries(context.Context) ([]Recovery, error) { return s.ended, nil }

func (s *outageStore) TellRecovery(_ context.Context, _ int64, notices []OutageNotice, _ time.Time) error {
	for _, n := range notices {
		s.said = append(s.said, string(n.To.Medium)+": "+n.Text)
	}
	s.ended = nil
	return nil
}

func (s *outageStore) ChannelStates(context.Context) ([]ChannelState, error) {
	if s.state.Medium == "" {
		return nil, nil
	}
	return []ChannelState{s.state}, nil
}

func (s *outageStore) TellOutage(_ context.Context, _ Medium, notices []OutageNotice, now time.Time) error {
	s.told += len(notices)
	s.state.ToldAt = &now
	return nil
}

func (s *outageStore) TellAgain(_ context.Context, at time.Time) error {
	s.again = at
	return nil
}

// administrators are people by their id.
type administrators map[int64]Recipient

func (a administrators) Recipients(context.Context, int64) (map[int64]Recipient, error) {
	return a, nil
}

func TestTellOfOutage(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	now, works := start, []Medium{SMS}
	s := &outageStore{state: ChannelState{Medium: SMS, Holds: true}.After(Failure{Scope: ScopeChannel, Reason: "the token is wrong"}, start)}
	verified := start.Add(-time.Hour)
	method := func(id int64, m Medium) ContactMethod {
		return ContactMethod{ID: id, UserID: 1, Medium: m, Address: string(m), VerifiedAt: &verified}
	}
	o := &Outages{
		Store: s, People: administrators{1: {UserID: 1, Methods: []ContactMethod{method(1, SMS), method(2, Email)}}},
		Administrators: func(context.Context) ([]int64, error) { return []int64{1}, nil },
		Works:          func(m Medium) bool { return slices.Contains(works, m) }, Now: func() time.Time { return now },
	}
	expect := func(when string, told int, again time.Duration) {
		t.Helper()
		if err := o.Tell(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s.told != told || !s.again.Equal(now.Add(again)) {
			t.Errorf("%s: told %d times, and again in %s", when, s.told, s.again.Sub(now))
		}
	}
	now = start.Add(TellAfter)
	expect("while nobody can be told", 0, time.Minute)
	works = append(works, Email)
	expect("by email", 1, TellEvery)
	now = now.Add(TellEvery)
	expect("nothing was tried since", 1, TellEvery)
	s.state = s.state.After(Failure{Scope: ScopeChannel}, now.Add(time.Minute))
	now = now.Add(TellEvery)
	expect("failed since", 2, TellEvery)
}

func TestTellOfRecovery(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 23, 2, 10, 0, 0, time.UTC)
	verified := start.Add(-time.Hour)
	method := ContactMethod{ID: 1, UserID: 1, Medium: SMS, VerifiedAt: &verified}
	s, works := &outageStore{}, false
	o := &Outages{
		Store: s, People: administrators{1: {UserID: 1, Zone: "Europe/Madrid", Methods: []ContactMethod{method}}, 2: {UserID: 2}},
		Administrators: func(context.Context) ([]int64, error) { return []int64{1, 2}, nil },
		Works:          func(Medium) bool { return works }, Now: func() time.Time { return start },
	}
	const span = "It had not worked from 03:10 on 23 November (CET) to 03:31 on 23 November (CET)."
	for want, r := range map[string]Recovery{
		"SMS works again.\n" + span: {How: Works},
		"SMS works again.\n" + span + " The message that waited has been sent.":           {How: Works, Released: 1},
		"SMS works again.\n" + span + " The 14 messages that waited are being sent.":      {How: Works, Released: 14},
		"SMS is not set up any more.\nIt had not worked since 03:10 on 23 November (CET)": {How: Removed},
		"SMS is used again.\nIt had not worked since 03:10 on 23 November (CET)":          {How: Untried},
	} {
		r.ID, r.Medium, r.BrokenSince, r.EndedAt = 1, SMS, start, start.Add(21*time.Minute)
		s.said, s.ended, works = nil, []Recovery{r}, false
		if err := o.Tell(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(s.said) > 0 || len(s.ended) != 1 || !s.again.Equal(start.Add(tellLater)) {
			t.Errorf("while nobody can be told: said %q, again at %s", s.said, s.again)
		}
		works = true
		if err := o.Tell(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(s.said) != 1 || !strings.HasPrefix(s.said[0], "sms: "+want) || r.How == Works && s.said[0] != "sms: "+want {
			t.Errorf("said %q, want %q", s.said, want)
		}
	}
}
