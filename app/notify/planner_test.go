package notify

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

var plannedAt = time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)

// planning is one run of Schedule for one person with an SMS and an email method.
type planning struct {
	due    []DuePage
	recent Recent // to the SMS method
	rules  []Rule // nil pages by SMS at once
}

func duePages(n int, change ...func(*DuePage)) []DuePage {
	var all []DuePage
	for i := range n {
		p := DuePage{ID: int64(i + 1), UserID: 1, Incident: int64(100 + i), Urgency: "high", Priority: 3, CreatedAt: plannedAt}
		for _, c := range change {
			c(&p)
		}
		all = append(all, p)
	}
	return all
}

func (p planning) run() (Plan, map[int64]Recent) {
	verified := plannedAt
	rules := p.rules
	if rules == nil {
		rules = []Rule{{Urgency: "high", ContactMethodID: 1}}
	}
	people := map[int64]Recipient{1: {UserID: 1, Rules: rules, Methods: []ContactMethod{
		{ID: 1, UserID: 1, Medium: SMS, VerifiedAt: &verified}, {ID: 2, UserID: 1, Medium: Email, VerifiedAt: &verified},
	}}}
	recent := map[int64]Recent{1: p.recent}
	return Schedule(plannedAt, p.due, recent, people, func(Medium) bool { return true }), recent
}

// inWords is a plan's messages: by which method, about which pages, after what wait.
func inWords(p Plan) []string {
	var all []string
	for _, m := range p.Messages {
		text := fmt.Sprintf("%d: %v P%d at %s", m.Method.ID, m.Pages, m.Priority, m.DueAt.Sub(plannedAt))
		if m.Gathering {
			text += " gathering"
		}
		if m.Into != 0 {
			text += fmt.Sprintf(" into %d", m.Into)
		}
		all = append(all, text)
	}
	return all
}

func TestScheduleBundles(t *testing.T) {
	t.Parallel()
	urgent := func(id int64, level int) func(*DuePage) {
		return func(p *DuePage) {
			if p.ID == id {
				p.Priority = level
			}
		}
	}
	atOnce := []string{"1: [1] P3 at 0s", "1: [2] P3 at 0s", "1: [3] P3 at 0s"}
	for name, c := range map[string]struct {
		planning
		want []string
	}{
		"three are sent at once":           {planning{due: duePages(3)}, atOnce},
		"the fourth gathers":               {planning{due: duePages(4)}, append(slices.Clone(atOnce), "1: [4] P3 at 1m0s gathering")},
		"further ones join the fourth":     {planning{due: duePages(6)}, append(slices.Clone(atOnce), "1: [4 5 6] P3 at 1m0s gathering")},
		"earlier messages count":           {planning{due: duePages(2), recent: Recent{Messages: 2, Priority: 3}}, []string{"1: [1] P3 at 0s", "1: [2] P3 at 1m0s gathering"}},
		"one that gathers is joined":       {planning{due: duePages(2), recent: Recent{Messages: 4, Priority: 3, Gathering: 77}}, []string{"1: [1 2] P3 at 1m0s gathering into 77"}},
		"a more urgent one breaks out":     {planning{due: duePages(1, urgent(1, 2)), recent: Recent{Messages: 4, Priority: 3, Gathering: 77}}, []string{"1: [1] P2 at 0s"}},
		"an equally urgent one does not":   {planning{due: duePages(1), recent: Recent{Messages: 4, Priority: 3}}, []string{"1: [1] P3 at 1m0s gathering"}},
		"it breaks out once":               {planning{due: duePages(2, urgent(1, 2), urgent(2, 2)), recent: Recent{Messages: 4, Priority: 3}}, []string{"1: [1] P2 at 0s", "1: [2] P2 at 1m0s gathering"}},
		"the most urgent counts":           {planning{due: duePages(5, urgent(1, 1), urgent(5, 2))}, []string{"1: [1] P1 at 0s", "1: [2] P3 at 0s", "1: [3] P3 at 0s", "1: [4 5] P2 at 1m0s gathering"}},
		"one without a priority is last":   {planning{due: duePages(1, urgent(1, 9)), recent: Recent{Messages: 3, Priority: 9}}, []string{"1: [1] P9 at 1m0s gathering"}},
		"a digest gathers from the first":  {planning{due: duePages(2, func(p *DuePage) { p.Digest = true })}, []string{"1: [1 2] P3 at 1m0s gathering"}},
		"a digest never breaks out":        {planning{due: duePages(1, urgent(1, 1), func(p *DuePage) { p.Digest = true }), recent: Recent{Messages: 1, Priority: 3}}, []string{"1: [1] P1 at 1m0s gathering"}},
		"each method is bundled by itself": {planning{due: duePages(1), recent: Recent{Messages: 3, Priority: 3}, rules: []Rule{{Urgency: "high", ContactMethodID: 1}, {Urgency: "high", ContactMethodID: 2}}}, []string{"1: [1] P3 at 1m0s gathering", "2: [1] P3 at 0s"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan, _ := c.run()
			if got := inWords(plan); !slices.Equal(got, c.want) {
				t.Errorf("planned %q, want %q", got, c.want)
			}
			for _, m := range plan.Messages {
				for i, page := range m.Pages {
					if m.Incidents[i] != 99+page {
						t.Errorf("page %d is about incident %d", page, m.Incidents[i])
					}
				}
			}
		})
	}
}

func TestScheduleCountsItsMessages(t *testing.T) {
	t.Parallel()
	_, recent := planning{due: duePages(5, func(p *DuePage) { p.Priority = int(p.ID) })}.run()
	if got, want := recent[1], (Recent{Messages: 4, Priority: 1}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
}

func TestScheduleKeepsNextRule(t *testing.T) {
	t.Parallel()
	later := []Rule{{Urgency: "high", ContactMethodID: 1}, {Urgency: "high", AfterSeconds: 300, ContactMethodID: 2}}
	for name, c := range map[string]struct {
		change func(*DuePage)
		want   []string
		rule   int
		next   time.Duration
	}{
		"the first":                {func(*DuePage) {}, []string{"1: [1] P3 at 0s"}, 1, 5 * time.Minute},
		"the second":               {func(p *DuePage) { p.Rule, p.CreatedAt = 1, plannedAt.Add(-5*time.Minute) }, []string{"2: [1] P3 at 0s"}, 2, 10 * time.Minute},
		"both, late":               {func(p *DuePage) { p.CreatedAt = plannedAt.Add(-5 * time.Minute) }, []string{"1: [1] P3 at 0s", "2: [1] P3 at 0s"}, 2, 10 * time.Minute},
		"a method once, very late": {func(p *DuePage) { p.CreatedAt = plannedAt.Add(-24 * time.Hour) }, []string{"1: [1] P3 at 0s", "2: [1] P3 at 0s"}, -1, 10 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan, _ := planning{due: duePages(1, c.change), rules: later}.run()
			if got := inWords(plan); !slices.Equal(got, c.want) {
				t.Errorf("planned %q, want %q", got, c.want)
			}
			page := plan.Pages[0]
			if page.Failed || page.NotifyAt == nil || !page.NotifyAt.After(plannedAt) || page.NotifyAt.Sub(plannedAt) > c.next || c.rule >= 0 && page.Rule != c.rule {
				t.Errorf("the page is due again at %v by rule %d", page.NotifyAt, page.Rule)
			}
		})
	}
}

func TestScheduleFailsPageOfUnknownPerson(t *testing.T) {
	t.Parallel()
	plan, _ := planning{due: duePages(1, func(p *DuePage) { p.UserID = 2 })}.run()
	if len(plan.Messages) != 0 || len(plan.Pages) != 1 || !plan.Pages[0].Failed || plan.Pages[0].NotifyAt != nil {
		t.Errorf("planned %+v", plan)
	}
}
