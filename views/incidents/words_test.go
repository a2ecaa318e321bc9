package incidents

import (
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/views/element"
)

var night = time.Date(2026, 11, 23, 2, 0, 8, 0, time.UTC)

var (
	tags   = regexp.MustCompile(`<[^>]*>`)
	spaces = regexp.MustCompile(`\s+`)
)

// said is what a line of the timeline reads like, of an incident that is no
// breach of an SLO.
func said(t *testing.T, e Event) string {
	t.Helper()
	return lineTextOn(t, IncidentPage{}, e)
}

// lineTextOn is what a line of a page's timeline reads like.
func lineTextOn(t *testing.T, p IncidentPage, e Event) string {
	t.Helper()
	p.Number = 17
	p.Frame.Clock = element.Clock{Now: night.Add(time.Hour), Zone: time.UTC}
	var b strings.Builder
	if err := line(p, e).Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	text := tags.ReplaceAllString(strings.ReplaceAll(b.String(), "</p>", " "), "")
	return strings.TrimSpace(spaces.ReplaceAllString(html.UnescapeString(text), " "))
}

func TestTimelineSentences(t *testing.T) {
	t.Parallel()
	ana := element.Person{ID: 8, Name: "Ana Ortiz"}
	for _, test := range []struct {
		event Event
		want  string
	}{
		{Event{Kind: "received", Sender: "SRE"}, "Alert received from SRE"},
		{Event{Kind: "raised", Sender: "SRE", To: "P1"}, "SRE raised the priority to P1"},
		{Event{Kind: "joined", Sender: "SRE", Text: "Disk full"}, "Another alert of the group from SRE: Disk full"},
		{Event{Kind: "worse", Sender: "SRE", From: "warning", To: "critical"}, "Severity raised by SRE from warning to critical"},
		{Event{Kind: "priority", By: "Ben", From: "P1", Text: "Over."}, "Ben set the priority from P1 to unset “Over.”"},
		{Event{Kind: "step", Step: 1, Run: 2, Targets: []string{"main on call in Payments"}, People: []element.Person{ana}}, "Step 1 in run 2: main on call in Payments is Ana Ortiz"},
		{Event{Kind: "passed_over", Step: 2, Targets: []string{"backup on call in Payments"}}, "Step 2 skipped: nobody who can be reached is backup on call in Payments"},
		{Event{Kind: "acknowledged", By: "Ana Ortiz", Via: "sms"}, "Ana Ortiz acknowledged by SMS"},
		{Event{Kind: "resolved", By: "Tocsin"}, "Resolved by Tocsin: nothing fires any more"},
		{Event{Kind: "resolved", By: "SRE", Sender: "SRE"}, "Resolved by SRE: nothing fires any more"},
		{Event{Kind: "trouble", Text: "A page could not be turned into messages."}, "A page could not be turned into messages."},
		{Event{Kind: "resolved", By: "Ana Ortiz", Text: "Rolled back."}, "Ana Ortiz resolved it “Rolled back.”"},
		{Event{Kind: "reopened", Sender: "SRE"}, "Fires again, reported by SRE: reopened"},
		{Event{Kind: "recovered", Sender: "SRE"}, "Recovered, reported by SRE"},
		{Event{Kind: "note", By: "Ben", Text: "<b>&"}, "Ben added a note “<b>&”"},
		{Event{Kind: "of a later release", Text: "Something happened."}, "Something happened."},
		{Event{Kind: KindAttempt, Attempt: &Attempt{PageID: 1, Person: ana, Medium: "sms", State: Delivered, At: night.Add(3 * time.Second)}}, "SMS to Ana delivered 02:00:11\u00a0· why Ana?"},
		{Event{Kind: KindAttempt, At: night, Attempt: &Attempt{Person: ana, Medium: "sms", State: Delivered, At: night.Add(59 * time.Second)}}, "SMS to Ana delivered"},
		{Event{Kind: KindAttempt, At: night, Attempt: &Attempt{Person: ana, Medium: "sms", State: Delivered, At: night.Add(time.Minute)}}, "SMS to Ana delivered 02:01:08"},
		{Event{Kind: KindAttempt, Attempt: &Attempt{Person: ana, Medium: "slack", State: Failed, Error: "no answer.", Number: 2}}, "Slack DM to Ana failed no answer, attempt 2"},
		{Event{Kind: KindAttempt, Attempt: &Attempt{Person: ana, Medium: "email", State: Sent, At: night, InsteadOf: "sms", With: 1, Again: true}},
			"Email to Ana sent 02:00:08, instead of the failed SMS, together with 1 other incident, possibly for the second time"},
	} {
		if got := said(t, test.event); got != test.want {
			t.Errorf("%s:\ngot  %q\nwant %q", test.event.Kind, got, test.want)
		}
	}
}

func TestPagingSentence(t *testing.T) {
	t.Parallel()
	ana, ben := element.Person{Name: "Ana Ortiz"}, element.Person{Name: "Ben Adeyemi"}
	at := Upcoming{Kind: NextStep, At: night.Add(time.Hour), Targets: []string{"backup on call"}, People: []element.Person{ben}}
	gathering := func(p element.Person, after time.Duration) Recipient {
		return Recipient{Person: p, State: Paging, Waits: &Waiting{Medium: "sms", Until: night.Add(after)}}
	}
	sent := gathering(ben, time.Minute)
	sent.Last = &Attempt{Medium: "email", State: Sent, At: night}
	failed := func(a Attempt) Recipient {
		a.Medium, a.State = "email", Failed
		return Recipient{Person: ben, State: Paging, Last: &a}
	}
	byAnother := failed(Attempt{})
	byAnother.Reached = true
	empty := at
	empty.People = nil
	for _, test := range []struct {
		paged []Recipient
		next  []Upcoming
		want  string
	}{
		{nil, nil, "Nobody is paged right now."},
		{[]Recipient{{Person: ana, State: Paging}}, []Upcoming{at}, "Paging Ana. Ben at 03:00."},
		{[]Recipient{{Person: ana, State: Unreached}}, []Upcoming{empty}, "Nobody is paged right now. Backup on call at 03:00."},
		{[]Recipient{{Person: ana, State: Paging, Shadow: true}}, []Upcoming{{Kind: NextAdministrators, At: night}}, "Nobody is paged right now. The administrators at 02:00."},
		{[]Recipient{{Person: ben, State: Paging}}, []Upcoming{at}, "Paging Ben. Again at 03:00."},
		{[]Recipient{gathering(ben, time.Minute)}, nil, "Ben is told at 02:01, together with other pages."},
		{[]Recipient{gathering(ben, time.Minute)}, []Upcoming{at}, "Ben is told at 02:01, together with other pages. Again at 03:00."},
		{[]Recipient{{Person: ana, State: Paging}, gathering(ben, time.Minute)}, nil, "Paging Ana. Ben is told at 02:01, together with other pages."},
		{[]Recipient{gathering(ana, time.Minute), gathering(ben, time.Minute)}, nil, "Ana and Ben are told at 02:01, together with other pages."},
		{[]Recipient{gathering(ana, time.Minute), gathering(ben, 2*time.Minute)}, nil, "Ana is told at 02:01 and Ben is told at 02:02, together with other pages."},
		{[]Recipient{sent}, nil, "Paging Ben."},
		{[]Recipient{failed(Attempt{Waits: true})}, []Upcoming{at}, "Ben has not been reached: email does not work. It is tried again every few seconds. Again at 03:00."},
		{[]Recipient{failed(Attempt{RetryAt: night.Add(time.Minute)})}, nil, "Ben has not been reached: email failed. It is tried again at 02:01."},
		{[]Recipient{failed(Attempt{}), {Person: ana, State: Paging}}, nil, "Paging Ana. Ben has not been reached: email failed."},
		{[]Recipient{byAnother}, nil, "Paging Ben."},
		{nil, []Upcoming{{Kind: NextTry, At: night}}, "Nobody is paged right now."},
		{nil, []Upcoming{{Kind: NextMorning, At: night}}, "Nobody is paged right now."},
	} {
		p := IncidentPage{Paged: test.paged, Next: test.next}
		p.Frame.Clock = element.Clock{Now: night, Zone: time.UTC}
		if got := pagingSentence(p); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

func TestBundledPageSaysWhy(t *testing.T) {
	t.Parallel()
	r := Recipient{Person: element.Person{Name: "Ana Ortiz"}}
	if got := r.whyWaits(); got != "" {
		t.Errorf("what does not wait says %q", got)
	}
	r.Waits = &Waiting{}
	if got, want := r.whyWaits(), "Ana was paged three times within five minutes, so further pages go out together."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	r.Waits.Digest = true
	if got, want := r.whyWaits(), "What waited for the support hours goes out together."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTimelineNamesBreachOfSLO(t *testing.T) {
	t.Parallel()
	p := IncidentPage{Facts: Facts{SLO: "Availability"}}
	for _, test := range []struct {
		event Event
		want  string
	}{
		{Event{Kind: "received", Sender: "SRE"}, "Breach received from SRE"},
		{Event{Kind: "resolved", By: "SRE", Sender: "SRE"}, "Resolved by SRE: the SLO recovered"},
		{Event{Kind: "reopened", Sender: "SRE"}, "Breached again, reported by SRE: reopened"},
	} {
		if got := lineTextOn(t, p, test.event); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

// One alert of several that recovers does not read as the end of the incident.
func TestTimelineNamesRecoveryInGroup(t *testing.T) {
	t.Parallel()
	if got, want := said(t, Event{Kind: "recovered", Sender: "Prometheus", OfSeveral: true}), "An alert of the group recovered, reported by Prometheus"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPeriod(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"28d": "28 days", "1d": "1 day", "60m": "60 min", "2h": "2 hours", "1w": "1 week", "d": "d", "1h30m": "1h30m", "": ""} {
		if got := period(in); got != want {
			t.Errorf("period(%q) = %q, want %q", in, got, want)
		}
	}
}

// Whatever the list is narrowed by stays when its tab changes.
func TestTabsKeepFilter(t *testing.T) {
	t.Parallel()
	p := ListPage{Tab: Mine, Filter: Filter{Service: "a&b", Query: "x y"}}
	if got, want := p.tabHref(Open), "/incidents?q=x+y&service=a%26b&tab=open"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestResolvedByWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ person, sender, slo, want string }{
		{"Ana Ortiz", "", "Availability", "by Ana Ortiz"},
		{"", "SRE infrastructure", "Availability", "by SRE infrastructure: the SLO recovered"},
		{"", "Prometheus", "", "by Prometheus: nothing fires any more"},
		{"", "", "", "by Tocsin: nothing fires any more"},
	} {
		p := IncidentPage{Facts: Facts{SLO: c.slo}, ResolvedBy: c.person, RecoveredBy: c.sender, CreatedAt: night, ResolvedAt: night.Add(12 * time.Minute)}
		if got, want := p.resolvedWords(), " "+c.want+", after 12 min."; got != want {
			t.Errorf("the head says %q, want %q", got, want)
		}
		if c.person != "" {
			continue
		}
		if got, want := lineTextOn(t, p, Event{Kind: "resolved", By: "Tocsin", Sender: c.sender}), "Resolved "+c.want; got != want {
			t.Errorf("the timeline says %q, want %q", got, want)
		}
	}
}

func TestPersonalRulesAreThoseOfNow(t *testing.T) {
	t.Parallel()
	p := WhyPage{You: true, Urgency: "high"}
	if got := p.rulesWords(); !strings.HasPrefix(got, "As the rules are now:") {
		t.Errorf("without rules: %q", got)
	}
	p.Rules = []WhyRule{{Medium: "sms"}}
	if got := p.rulesWords(); !strings.HasSuffix(got, ", as they are now:") {
		t.Errorf("with rules: %q", got)
	}
}
