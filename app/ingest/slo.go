package ingest

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

// Limits of a native breach, in runes where they are of text.
const (
	MaxName     = 1024
	MaxDedupKey = 512
	maxWarnings = 20
	maxEntries  = 250 // of each list that a person is shown
	maxSnooze   = 30 * 24 * time.Hour
)

// Breach is a decoded native signal.
type Breach struct {
	// Event lacks what only this installation knows: its Priority, and who sent
	// it. Event.Warnings name what was not understood and not used.
	Event incident.Event
	// Priority is the level that the sender named, whether or not it exists.
	Priority *int
	// Budget is what the error-budget rules need.
	Budget incident.Budget
}

// The fields of each object of a breach, in the order of their slots.
var (
	breachFields = [...]string{
		"status", "service", "deployment", "endpoint", "sli", "slo", "incident_priority", "observed",
		"broken_by_percent", "error_budget", "started_at", "snooze", "environment", "dependencies", "links", "dedup_key",
	}
	sloFields        = [...]string{"name", "objective", "window"}
	budgetFields     = [...]string{"remaining_percent", "depleted_percent", "depletion_window", "burn_rate"}
	dependencyFields = [...]string{"service", "availability", "error_budget_remaining_percent"}
	linkFields       = [...]string{"text", "href"}
)

// DecodeSLO decodes the native SLO breach. What can be paged is paged: only a
// breach that cannot be told apart from others is refused.
//
//	field                          must be                           otherwise
//	service, sli, slo.name         text, not blank, ≤ MaxName        refused
//	slo                            an object                         refused
//	status                         "breached" (default), "recovered" refused
//	deployment, endpoint           text, ≤ MaxName                   cut to length; other types not used
//	dedup_key                      text, ≤ MaxDedupKey               longer: its hash; other types, blank: the default
//	incident_priority              2, "2" or "P2"                    not used
//	slo.objective, observed        0 to 100                          not used
//	broken_by_percent              0 or more                         not used
//	error_budget.remaining_percent up to 100, may be negative        not used
//	error_budget.depleted_percent  0 or more                         not used
//	error_budget.burn_rate         0 or more                         not used
//	slo.window, …depletion_window  a duration over 0: "28d"          not used
//	snooze                         a duration up to 30d, 0 for none  not used
//	started_at                     RFC 3339, years 2000 to 9998      not used; nor is a future one: see Resolve
//	environment                    an object of anything             not used
//	dependencies                   objects with service              the entry is not used
//	links                          objects with an http(s) href      the entry is not used
//
// Null is the same as absent, and a number in quotes is a number: it is used, and
// warned of. Whatever is not used, and every field that is not
// listed, is kept as JSON text in Facts.Unknown; what was listed but not used is
// warned of besides, and so is a name that is almost a listed one: "statsu". Of a
// name that is given twice the last counts and the others are kept in the same
// way. What goes beyond maxEntries stands only in
// Event.Body. Control characters in one-line texts become spaces, NUL its
// symbol, lone surrogates U+FFFD.
//
// Faults: Unsupported for a content type that is not JSON, Malformed for what
// is no JSON object of at most 64 levels in UTF-8, and Invalid, naming each
// field, for what the table refuses.
func DecodeSLO(body []byte, contentType string) (Breach, error) {
	doc, err := parse(body, contentType)
	if err != nil {
		return Breach{}, err
	}
	d := sloDecoder{}
	d.Event.Body = body
	d.breach(doc)
	if len(d.refused) > 0 {
		return Breach{}, fault.Invalid("The breach cannot be accepted as it is.").With(d.refused...)
	}
	if d.dropped > 0 {
		d.Event.Warnings = append(d.Event.Warnings, fmt.Sprintf("%d further warnings are not listed.", d.dropped))
	}
	if d.unlisted > 0 {
		d.Event.Warnings = append(d.Event.Warnings, fmt.Sprintf("%d further entries stand only in the raw signal.", d.unlisted))
	}
	return d.Breach, nil
}

type sloDecoder struct {
	Breach
	refused  []fault.Field
	dropped  int // warnings beyond maxWarnings
	unlisted int // entries beyond maxEntries
	suspects int // unknown names that were looked at
}

func (d *sloDecoder) breach(doc value) {
	var in [len(breachFields)]value
	d.object("", doc, breachFields[:], in[:])
	ev, facts := &d.Event, &d.Event.Facts

	ev.Action = d.action(in[0])
	ev.ServiceName = d.required("service", in[1])
	ev.Deployment = d.line("deployment", in[2])
	facts.Service = ev.ServiceName
	facts.Endpoint = d.line("endpoint", in[3])
	facts.SLI = d.required("sli", in[4])
	d.slo(in[5])
	d.Priority = d.priority(in[6])
	facts.Observed = d.number("observed", in[7], 0, 100)
	facts.BrokenBy = d.number("broken_by_percent", in[8], 0, math.MaxFloat64)
	d.errorBudget(in[9])
	d.startedAt(in[10])
	ev.Snooze, _ = d.duration("snooze", in[11], 0, maxSnooze)
	d.environment(in[12])
	d.dependencies(in[13])
	d.links(in[14])
	ev.Title = facts.SLOName
	ev.DedupKey = d.dedupKey(in[15])
}

// object sorts the members of an object into slots and keeps what it does not
// know.
func (d *sloDecoder) object(path string, v value, fields []string, slots []value) {
	for name, member := range v.members() {
		key := name.text()
		slot := slices.Index(fields, key)
		if slot < 0 {
			d.keep(path+key, member)
			d.suspect(path, key, fields)
			continue
		}
		if slots[slot] != "" {
			d.unused(path+fields[slot], slots[slot], "is given twice; the last one counts")
		}
		slots[slot] = member
	}
}

func (d *sloDecoder) keep(path string, v value) {
	facts := &d.Event.Facts
	if d.full(len(facts.Unknown)) {
		return
	}
	facts.Unknown = append(facts.Unknown, incident.Pair{Name: path, Value: string(v)})
}

// full reports, and counts, that a list takes no further entry.
func (d *sloDecoder) full(entries int) bool {
	if entries < maxEntries {
		return false
	}
	d.unlisted++
	return true
}

// unused keeps a value that cannot be used and warns of it.
func (d *sloDecoder) unused(path string, v value, why string) {
	d.keep(path, v)
	d.warn(path + " " + why + ".")
}

func (d *sloDecoder) warn(warning string) {
	if len(d.Event.Warnings) >= maxWarnings {
		d.dropped++
		return
	}
	d.Event.Warnings = append(d.Event.Warnings, warning)
}

func (d *sloDecoder) refuse(path, message string) {
	d.refused = append(d.refused, fault.Field{Path: path, Message: message})
}

func (d *sloDecoder) action(v value) incident.Action {
	if !v.given() {
		return incident.Trigger
	}
	if v.isString() {
		switch v.text() {
		case "breached":
			return incident.Trigger
		case "recovered":
			return incident.Resolve
		}
	}
	d.refuse("status", `must be "breached" or "recovered"`)
	return incident.Trigger
}

func (d *sloDecoder) required(path string, v value) string {
	switch {
	case !v.given():
		d.refuse(path, "is missing")
		return ""
	case !v.isString():
		d.refuse(path, "must be text")
		return ""
	}
	s := oneLine(v.text())
	switch {
	case s == "":
		d.refuse(path, "must not be blank")
	case utf8.RuneCountInString(s) > MaxName:
		d.refuse(path, fmt.Sprintf("must not be longer than %d characters", MaxName))
	}
	return s
}

func (d *sloDecoder) line(path string, v value) string {
	if !v.given() {
		return ""
	}
	if !v.isString() {
		d.unused(path, v, "must be text and is not used")
		return ""
	}
	s := oneLine(v.text())
	if len(s) > MaxName && utf8.RuneCountInString(s) > MaxName {
		d.unused(path, v, fmt.Sprintf("is longer than %d characters and was cut", MaxName))
		s = string([]rune(s)[:MaxName])
	}
	return s
}

func (d *sloDecoder) slo(v value) {
	if v.given() && !v.isObject() {
		d.refuse("slo", "must be an object with a name")
		return
	}
	var in [len(sloFields)]value
	if v.given() {
		d.object("slo.", v, sloFields[:], in[:])
	}
	facts := &d.Event.Facts
	facts.SLOName = d.required("slo.name", in[0])
	facts.Objective = d.number("slo.objective", in[1], 0, 100)
	d.Budget.Window, facts.Window = d.duration("slo.window", in[2], 1, longest)
}

// priority takes what people write for a level. Whether it exists is not known
// here.
func (d *sloDecoder) priority(v value) *int {
	if !v.given() {
		return nil
	}
	text := ""
	switch {
	case v.isNumber():
		text = strings.TrimSuffix(string(v), ".0")
	case v.isString():
		text = strings.TrimSpace(v.text())
		if len(text) > 1 && (text[0] == 'P' || text[0] == 'p') && text[1] >= '0' && text[1] <= '9' {
			text = text[1:]
		}
	}
	level, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		d.unused("incident_priority", v, `must be a level such as 2 or "P2" and is not used`)
		return nil
	}
	n := int(level)
	return &n
}

func (d *sloDecoder) number(path string, v value, least, most float64) *float64 {
	if !v.given() {
		return nil
	}
	text := v
	if v.isString() {
		text = value(strings.TrimSpace(v.text()))
	}
	if !text.isNumber() || v.isString() && !jsontext.Value(text).IsValid() {
		d.unused(path, v, "must be a number and is not used")
		return nil
	}
	n, err := strconv.ParseFloat(string(text), 64)
	if err != nil || n < least || n > most {
		d.unused(path, v, "is out of range and is not used")
		return nil
	}
	if v.isString() {
		d.warn(path + " is a number in quotes and was read as a number.")
	}
	return &n
}

func (d *sloDecoder) duration(path string, v value, least, most time.Duration) (time.Duration, string) {
	if !v.given() {
		return 0, ""
	}
	if none := v == "0" || v.isString() && v.text() == "0"; none && least == 0 {
		return 0, ""
	}
	if v.isString() {
		text := v.text()
		if length, ok := parseDuration(text); ok && length >= least && length <= most {
			return length, text
		}
	}
	d.unused(path, v, `must be a duration such as "90s", "1h30m" or "28d" and is not used`)
	return 0, ""
}

func (d *sloDecoder) errorBudget(v value) {
	if !v.given() {
		return
	}
	if !v.isObject() {
		d.unused("error_budget", v, "must be an object and is not used")
		return
	}
	var in [len(budgetFields)]value
	d.object("error_budget.", v, budgetFields[:], in[:])
	facts, b := &d.Event.Facts, &d.Budget
	facts.BudgetRemaining = d.number("error_budget.remaining_percent", in[0], -math.MaxFloat64, 100)
	facts.BudgetDepleted = d.number("error_budget.depleted_percent", in[1], 0, math.MaxFloat64)
	b.DepletionWindow, facts.DepletionWindow = d.duration("error_budget.depletion_window", in[2], 1, longest)
	facts.BurnRate = d.number("error_budget.burn_rate", in[3], 0, math.MaxFloat64)
	b.Remaining, b.Depleted, b.BurnRate = facts.BudgetRemaining, facts.BudgetDepleted, facts.BurnRate
}

// earliest is the first year that a start may lie in.
const earliest = 2000

// startedAt takes whole microseconds, as both databases keep them.
func (d *sloDecoder) startedAt(v value) {
	if !v.given() {
		return
	}
	at, err := time.Time{}, error(nil)
	if v.isString() {
		at, err = time.Parse(time.RFC3339, v.text())
	}
	at = at.UTC().Truncate(time.Microsecond)
	switch {
	case !v.isString() || err != nil:
		d.unused("started_at", v, `must be a time such as "2026-11-23T18:04:05Z" and is not used`)
	case at.Year() < earliest:
		d.unused("started_at", v, fmt.Sprintf("lies before the year %d and is not used", earliest))
	case at.Year() > 9998:
		d.unused("started_at", v, "lies after the year 9998 and is not used")
	default:
		d.Event.StartedAt = at
		d.Event.Facts.StartedAt = &at
	}
}
