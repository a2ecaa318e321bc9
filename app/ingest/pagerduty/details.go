package pagerduty

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/document"
)

// customDetails are shown as pairs in the sender's order; a text alone is the
// description.
func (d *decoder) customDetails(v document.Value) {
	ev, facts := &d.ev, &d.ev.Facts
	switch {
	case !v.Given():
		return
	case v.IsString():
		facts.Description = strings.TrimSpace(v.Text())
		return
	case !v.IsObject():
		facts.Details = append(facts.Details, incident.Pair{Name: "custom_details", Value: v.Text()})
		return
	}
	for name, member := range v.Members() {
		key := name.Text()
		switch strings.ToLower(key) {
		case "service":
			ev.ServiceName = d.line("payload.custom_details."+key, member, false)
			facts.Service = ev.ServiceName
		case "deployment", "environment", "env":
			if ev.Deployment == "" && member.IsString() {
				ev.Deployment = d.line("payload.custom_details."+key, member, false)
			}
		case "runbook", "runbook_url":
			if facts.Runbook == "" && document.IsWebAddress(scalar(member)) {
				facts.Runbook = scalar(member)
			}
		}
		value := member.Text()
		if alerts, ok := alertText(member); ok {
			value = alerts
			if facts.Runbook == "" {
				facts.Runbook = runbookOf(member)
			}
		}
		if value = strings.TrimSpace(value); value == "" || d.Full(len(facts.Details)) {
			continue
		}
		facts.Details = append(facts.Details, incident.Pair{Name: key, Value: value})
	}
}

// alertText is a list of Alertmanager's alerts in the words of its own text
// template, which is what custom_details.firing held before Alertmanager sent
// lists. It is false for what is no such list.
func alertText(v document.Value) (string, bool) {
	if !v.IsArray() {
		return "", false
	}
	var b strings.Builder
	for _, alert := range v.Elements() {
		if !alert.IsObject() {
			return "", false
		}
		labels := member(alert, "labels")
		if !labels.IsObject() {
			return "", false
		}
		writePairs(&b, "Labels:\n", labels)
		writePairs(&b, "Annotations:\n", member(alert, "annotations"))
		if source := member(alert, "generatorURL"); source.IsString() {
			b.WriteString("Source: " + source.Text() + "\n")
		}
	}
	return b.String(), true
}

func writePairs(b *strings.Builder, title string, v document.Value) {
	b.WriteString(title)
	if !v.IsObject() {
		return
	}
	for name, value := range v.Members() {
		b.WriteString(" - " + name.Text() + " = " + value.Text() + "\n")
	}
}

// runbookOf is the first runbook that the annotations of a list of alerts name.
func runbookOf(alerts document.Value) string {
	for _, alert := range alerts.Elements() {
		annotations := member(alert, "annotations")
		if !annotations.IsObject() {
			continue
		}
		for _, name := range []string{"runbook_url", "runbook_url_internal"} {
			if address := scalar(member(annotations, name)); document.IsWebAddress(address) {
				return address
			}
		}
	}
	return ""
}

// member is the last member of an object with a name, empty for none.
func member(object document.Value, name string) document.Value {
	var found document.Value
	for key, value := range object.Members() {
		if key.Text() == name {
			found = value
		}
	}
	return found
}

func (d *decoder) links(v document.Value) []incident.Link {
	var links []incident.Link
	d.each("links", v, linkFields[:], func(path string, in []document.Value, href string) {
		if d.Full(len(links)) {
			return
		}
		text := d.line(path+".text", in[1], false)
		if text == "" {
			text = href
		}
		links = append(links, incident.Link{Text: text, Href: href})
	})
	return links
}

// images are shown by the address of the picture; what it links to is a link of
// its own.
func (d *decoder) images(v document.Value) []incident.Link {
	var images []incident.Link
	d.each("images", v, imageFields[:], func(path string, in []document.Value, src string) {
		if d.Full(len(images)) {
			return
		}
		text := d.line(path+".alt", in[2], false)
		if text == "" {
			text = src
		}
		images = append(images, incident.Link{Text: text, Href: src})
		if href := d.address(path+".href", in[1]); href != "" {
			d.ev.Facts.Links = append(d.ev.Facts.Links, incident.Link{Text: text, Href: href})
		}
	})
	return images
}

// each reads the objects of a list whose first field is a web address; an entry
// that has none is kept as a whole and warned of.
func (d *decoder) each(list string, v document.Value, fields []string, read func(path string, in []document.Value, href string)) {
	if !v.Given() {
		return
	}
	if !v.IsArray() {
		d.Unused(list, v, "must be a list and is not used")
		return
	}
	for i, element := range v.Elements() {
		path := list + "[" + strconv.Itoa(i) + "]"
		href := ""
		if element.IsObject() {
			href = scalar(member(element, fields[0]))
		}
		if !document.IsWebAddress(href) {
			d.Unused(path, element, fmt.Sprintf("must have an address in %s that begins with http:// or https:// and is not used", fields[0]))
			continue
		}
		in := make([]document.Value, len(fields))
		d.Object(path+".", element, fields, in)
		read(path, in, href)
	}
}

func (d *decoder) address(path string, v document.Value) string {
	href := scalar(v)
	if href == "" {
		return ""
	}
	if !document.IsWebAddress(href) {
		d.Unused(path, v, "must begin with http:// or https:// and is not used")
		return ""
	}
	return href
}

// layouts are the forms of ISO 8601 that senders use; those without a zone are
// in UTC.
var layouts = [...]string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05.999999999Z0700", // as in PagerDuty's own examples
	"2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999",
}

// maxSeconds is above every time in seconds since 1970 that is meant, and below
// every one in milliseconds.
const maxSeconds = 100_000_000_000

func (d *decoder) timestamp(path string, v document.Value) time.Time {
	text := scalar(v)
	switch {
	case v.IsString() && text == "":
		return time.Time{}
	case v.IsNumber():
		n, err := strconv.ParseFloat(text, 64)
		if n >= maxSeconds {
			n /= 1000
		}
		if err == nil && n > 0 && n < maxSeconds {
			seconds, fraction := math.Modf(n)
			v = quoted(time.Unix(int64(seconds), int64(fraction*1e9)))
		}
	default:
		for _, layout := range layouts {
			if at, err := time.Parse(layout, text); err == nil {
				v = quoted(at)
				break
			}
		}
	}
	return d.Time(path, v)
}

// quoted is a time as document.Reader.Time reads it, which checks its bounds.
func quoted(at time.Time) document.Value {
	return document.Value(`"` + at.UTC().Format(time.RFC3339Nano) + `"`)
}

// change reads a change event: a summary, and whatever else it has, which becomes
// a detail.
func (d *decoder) change(in []document.Value) {
	payload := in[3]
	var slots [len(changeFields)]document.Value
	switch {
	case payload.IsObject():
		d.Object("payload.", payload, changeFields[:], slots[:])
	case payload.Given():
		d.Unused("payload", payload, "must be an object and is not used")
	}
	change := &ingest.Change{
		Summary: d.line("payload.summary", slots[0], true),
		Source:  d.line("payload.source", slots[1], false),
		At:      d.timestamp("payload.timestamp", slots[2]),
		Links:   d.links(in[7]),
	}
	d.customDetails(slots[3])
	change.Details = append(d.ev.Facts.Details, d.Unknown...)
	d.Unknown = nil
	d.ev.Facts = incident.Facts{Service: d.ev.ServiceName}
	d.ev.Change = change
}
