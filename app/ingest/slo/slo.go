// Package slo is the native wire format: a breach of an SLO, the recovery from it, or
// a report of what was measured, a request.
package slo

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/document"
)

// Kind is how integrations name the format.
const Kind = "slo"

// Path is where breaches are posted.
const Path = "/webhooks/slo"

// Format is the native wire format.
var Format = ingest.Format{
	Kind:      Kind,
	Name:      "SLO breach",
	Signal:    "breach",
	Identity:  "a signal’s own `dedup_key`, or else its deployment, endpoint, SLI and SLO name",
	Endpoints: []ingest.Endpoint{{Method: http.MethodPost, Path: Path, KeyInPath: true}},
	Names:     ingest.Names{Service: "service", StartedAt: "started_at", IntervalTo: "interval.to"},
	Decode: func(in ingest.Input) ([]ingest.Event, error) {
		ev, err := Decode(in.Body, in.ContentType)
		if err != nil {
			return nil, err
		}
		return []ingest.Event{ev}, nil
	},
	Answer:   answer,
	Fields:   fields,
	Sample:   sample,
	Snippets: snippets,
}

// maxSnooze bounds the time for which a sender may ask for quiet.
const maxSnooze = 30 * 24 * time.Hour

// The fields of each object of a breach, in the order of their slots.
var (
	breachFields = [...]string{
		"status", "service", "deployment", "endpoint", "sli", "slo", "incident_priority", "observed",
		"broken_by_percent", "error_budget", "started_at", "snooze", "environment", "dependencies", "links", "dedup_key",
		"interval", "total", "good", "sla",
	}
	intervalFields   = [...]string{"from", "to"}
	sloFields        = [...]string{"name", "objective", "window"}
	budgetFields     = [...]string{"remaining_percent", "depleted_percent", "depletion_window", "burn_rate"}
	dependencyFields = [...]string{"service", "availability", "error_budget_remaining_percent"}
	linkFields       = [...]string{"text", "href"}
)

// Decode decodes a breach. What can be paged is paged: only a
// breach that cannot be told apart from others is refused.
//
//	field                          must be                           otherwise
//	service, sli, slo.name         text, not blank                   refused; over document.MaxName cut
//	slo, or sla in its place       an object                         refused; sla beside slo not used
//	status                         "breached" (default), "recovered",
//	                               "report"                          refused
//	deployment, endpoint           text                              not used; over document.MaxName cut
//	dedup_key                      text, ≤ ingest.MaxDedupKey               longer: its hash; other types, blank: the default
//	incident_priority              2, "2", "P2"; 0 for no priority   not used
//	slo.objective, observed        0 to 100                          not used
//	broken_by_percent              0 or more                         not used
//	error_budget.remaining_percent up to 100, may be negative        not used
//	error_budget.depleted_percent  0 or more                         not used
//	error_budget.burn_rate         0 or more                         not used
//	slo.window, …depletion_window  a duration over 0: "28d"          not used
//	snooze                         a duration up to 30d, 0 for none  not used
//	started_at                     RFC 3339, years 2000 to 9998      not used; nor is a future one: see ingest.Resolve
//	environment                    an object of anything             not used
//	dependencies                   objects with service              the entry is not used
//	links                          objects with an http(s) href      the entry is not used
//
// sla is an objective that a contract promises: Facts.SLA. Its fields are those of slo,
// and its default dedup key differs from that of an SLO of the same name.
//
// A report has the fields of readReport besides.
//
// A recovery that has a dedup_key needs none of service, sli and slo: what of them is
// not as above is not used. What is cut is kept whole in Facts.Unknown.
//
// Null is the same as absent, and a number in quotes is a number: it is used, and
// warned of. Whatever is not used, and every field that is not
// listed, is kept as JSON text in Facts.Unknown; what was listed but not used is
// warned of besides, and so is a name that is almost a listed one: "statsu". Of a
// name that is given twice the last counts and the others are kept in the same
// way. What goes beyond document.MaxEntries stands only in
// Event.Body. Control characters in one-line texts become spaces, NUL its
// symbol, lone surrogates U+FFFD.
//
// Faults: Unsupported for a content type that is not JSON, Malformed for what
// is no JSON object of at most 64 levels in UTF-8, and Invalid, naming each
// field, for what the table refuses.
func Decode(body []byte, contentType string) (ingest.Event, error) {
	doc, err := document.Parse(body, contentType)
	if err != nil {
		return ingest.Event{}, err
	}
	d := decoder{}
	d.ev.Body = body
	d.breach(doc)
	if len(d.Refused) > 0 {
		return ingest.Event{}, fault.Rejected(d.Refused)
	}
	d.Finish()
	d.ev.Warnings, d.ev.Facts.Unknown = d.Warnings, d.Unknown
	return d.ev, nil
}

type decoder struct {
	document.Reader
	ev ingest.Event
	// identified is set for a recovery with a key of the sender's, which needs nothing
	// else to end what has the key.
	identified bool
	isReport   bool
}

func (d *decoder) breach(doc document.Value) {
	var in [len(breachFields)]document.Value
	d.Object("", doc, breachFields[:], in[:])
	ev, facts := &d.ev, &d.ev.Facts

	ev.Action = d.action(in[0])
	d.identified = ev.Action == incident.Resolve && senderKey(in[15]) != ""
	ev.ServiceName = d.name("service", in[1])
	ev.Deployment = d.Line("deployment", in[2])
	facts.Service = ev.ServiceName
	facts.Endpoint = d.Line("endpoint", in[3])
	facts.SLI = d.name("sli", in[4])
	sloName := d.objective(in[5], in[19])
	d.ev.Priority = d.priority(in[6])
	facts.Observed = d.Number("observed", in[7], 0, 100)
	facts.BrokenBy = d.Number("broken_by_percent", in[8], 0, math.MaxFloat64)
	d.errorBudget(in[9])
	d.startedAt(in[10])
	ev.Snooze, _ = d.Duration("snooze", in[11], 0, maxSnooze)
	d.environment(in[12])
	d.dependencies(in[13])
	d.links(in[14])
	if d.isReport {
		d.readReport(in[16], in[17], in[18])
	} else {
		for i, v := range in[16:19] {
			if v != "" {
				d.Keep(breachFields[16+i], v)
			}
		}
	}
	ev.Title = facts.SLOName
	names := []document.Value{in[2], in[3], in[4], sloName}
	if facts.SLA {
		names = append(names, `"sla"`)
	}
	ev.DedupKey = d.dedupKey(in[15], names...)
}

// name is a text of one line, which an event that has no other identity must have.
func (d *decoder) name(path string, v document.Value) string {
	if d.identified {
		return d.Line(path, v)
	}
	return d.Required(path, v)
}

func (d *decoder) action(v document.Value) incident.Action {
	if !v.Given() {
		return incident.Trigger
	}
	if v.IsString() {
		switch v.Text() {
		case "breached":
			return incident.Trigger
		case "recovered":
			return incident.Resolve
		case "report":
			d.isReport = true
			return incident.Trigger
		}
	}
	d.Refuse("status", `must be "breached", "recovered" or "report"`)
	return incident.Trigger
}

// objective reads slo or, in its place, sla, and returns the name as it was sent.
func (d *decoder) objective(slo, sla document.Value) (name document.Value) {
	path, v := "slo", slo
	switch {
	case slo.Given() && sla.Given() && !sla.IsObject():
		d.Keep("sla", sla) // a field of the sender's own
	case slo.Given() && sla.Given():
		d.Unused("sla", sla, "is given beside slo and is not used")
	case sla.Given():
		path, v = "sla", sla
		d.ev.Facts.SLA = true
	}
	if v.Given() && !v.IsObject() {
		if d.identified {
			d.Unused(path, v, "must be an object with a name and is not used")
		} else {
			d.Refuse(path, "must be an object with a name")
		}
		return ""
	}
	var in [len(sloFields)]document.Value
	if v.Given() {
		d.Object(path+".", v, sloFields[:], in[:])
	}
	facts := &d.ev.Facts
	facts.SLOName = d.name(path+".name", in[0])
	facts.Objective = d.Number(path+".objective", in[1], 0, 100)
	d.ev.Budget.Window, facts.Window = d.Duration(path+".window", in[2], 1, document.MaxDuration)
	return in[0]
}

// priority takes what people write for a level. Whether it exists is not known
// here.
func (d *decoder) priority(v document.Value) *int {
	if !v.Given() {
		return nil
	}
	text := ""
	switch {
	case v.IsNumber():
		text = strings.TrimSuffix(string(v), ".0")
	case v.IsString():
		text = strings.TrimSpace(v.Text())
		if len(text) > 1 && (text[0] == 'P' || text[0] == 'p') && text[1] >= '0' && text[1] <= '9' {
			text = text[1:]
		}
	}
	level, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		d.Unused("incident_priority", v, `must be a level such as 2 or "P2" and is not used`)
		return nil
	}
	n := int(level)
	return &n
}

func (d *decoder) errorBudget(v document.Value) {
	if !v.Given() {
		return
	}
	if !v.IsObject() {
		d.Unused("error_budget", v, "must be an object and is not used")
		return
	}
	var in [len(budgetFields)]document.Value
	d.Object("error_budget.", v, budgetFields[:], in[:])
	facts, b := &d.ev.Facts, &d.ev.Budget
	facts.BudgetRemaining = d.Number("error_budget.remaining_percent", in[0], -math.MaxFloat64, 100)
	facts.BudgetDepleted = d.Number("error_budget.depleted_percent", in[1], 0, math.MaxFloat64)
	b.DepletionWindow, facts.DepletionWindow = d.Duration("error_budget.depletion_window", in[2], 1, document.MaxDuration)
	facts.BurnRate = d.Number("error_budget.burn_rate", in[3], 0, math.MaxFloat64)
	b.Remaining, b.Depleted, b.BurnRate = facts.BudgetRemaining, facts.BudgetDepleted, facts.BurnRate
}

func (d *decoder) startedAt(v document.Value) {
	if at := d.Time("started_at", v); !at.IsZero() {
		d.ev.StartedAt = at
		d.ev.Facts.StartedAt = &at
	}
}
