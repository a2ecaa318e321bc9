package notify_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/notify"
)

func TestNotification(t *testing.T) {
	t.Parallel()
	verified := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	method := func(id int64, m notify.Medium) notify.ContactMethod {
		return notify.ContactMethod{ID: id, Medium: m, VerifiedAt: &verified}
	}
	sms, call, mail := method(1, notify.SMS), method(2, notify.Voice), method(3, notify.Email)
	unverified, stopped := mail, mail
	unverified.VerifiedAt, stopped.DisabledAt = nil, &verified
	rule := func(after time.Duration, id int64) notify.Rule {
		return notify.Rule{Urgency: "high", AfterSeconds: int64(after.Seconds()), ContactMethodID: id}
	}
	type step struct {
		After  time.Duration
		Method int64
	}
	noVoice := func(m notify.Medium) bool { return m != notify.Voice }
	all := func(notify.Medium) bool { return true }
	for name, c := range map[string]struct {
		person notify.Recipient
		works  func(notify.Medium) bool
		want   []step
	}{
		"without rules every method is used at once, and again": {
			notify.Recipient{Methods: []notify.ContactMethod{sms, mail}}, all,
			[]step{{0, 1}, {0, 3}, {10 * time.Minute, 1}, {10 * time.Minute, 3}, {20 * time.Minute, 1}},
		},
		"rules come in the order of their time and the last repeats": {
			notify.Recipient{Methods: []notify.ContactMethod{sms, mail}, Rules: []notify.Rule{rule(5*time.Minute, 3), rule(0, 1)}}, all,
			[]step{{0, 1}, {5 * time.Minute, 3}, {15 * time.Minute, 3}, {25 * time.Minute, 3}},
		},
		"what does not work gives way to the next method": {
			notify.Recipient{Methods: []notify.ContactMethod{sms, call, mail}, Rules: []notify.Rule{rule(0, 1), rule(5*time.Minute, 2)}}, noVoice,
			[]step{{0, 1}, {5 * time.Minute, 3}, {15 * time.Minute, 3}},
		},
		"what does not work and has no next is left out": {
			notify.Recipient{Methods: []notify.ContactMethod{sms, call}, Rules: []notify.Rule{rule(0, 1), rule(5*time.Minute, 2)}}, noVoice,
			[]step{{0, 1}, {10 * time.Minute, 1}},
		},
		"a method with a later rule takes the place of one that does not work, and is not used twice": {
			notify.Recipient{Methods: []notify.ContactMethod{call, mail}, Rules: []notify.Rule{rule(0, 2), rule(5*time.Minute, 3)}}, noVoice,
			[]step{{0, 3}, {10 * time.Minute, 3}},
		},
		"the first of several later rules takes the place, the others stay": {
			notify.Recipient{Methods: []notify.ContactMethod{sms, call, mail}, Rules: []notify.Rule{rule(0, 2), rule(time.Minute, 3), rule(5*time.Minute, 1)}}, noVoice,
			[]step{{0, 3}, {5 * time.Minute, 1}, {15 * time.Minute, 1}},
		},
		"a method that has been used does not take the place of another": {
			notify.Recipient{Methods: []notify.ContactMethod{sms, call}, Rules: []notify.Rule{rule(0, 1), rule(time.Minute, 2), rule(5*time.Minute, 1)}}, noVoice,
			[]step{{0, 1}, {5 * time.Minute, 1}, {15 * time.Minute, 1}},
		},
		"unverified and stopped methods do not count": {
			notify.Recipient{Methods: []notify.ContactMethod{unverified, stopped, sms}}, all,
			[]step{{0, 1}, {10 * time.Minute, 1}},
		},
		"rules of another urgency do not count": {
			notify.Recipient{Methods: []notify.ContactMethod{sms, mail}, Rules: []notify.Rule{{Urgency: "low", ContactMethodID: 3}}}, all,
			[]step{{0, 1}, {0, 3}, {10 * time.Minute, 1}},
		},
		"nobody can be told": {notify.Recipient{Methods: []notify.ContactMethod{unverified}}, all, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []step
			for i := range max(len(c.want), 1) {
				if n, ok := c.person.Notification(i, "high", c.works); ok {
					got = append(got, step{n.After, n.Method.ID})
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
