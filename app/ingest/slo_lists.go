package ingest

import (
	"math"
	"strconv"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

func (d *sloDecoder) environment(v value) {
	if !v.given() {
		return
	}
	if !v.isObject() {
		d.unused("environment", v, "must be an object and is not used")
		return
	}
	facts := &d.Event.Facts
	for name, member := range v.members() {
		if d.full(len(facts.Environment)) {
			continue
		}
		facts.Environment = append(facts.Environment, incident.Pair{Name: name.text(), Value: member.text()})
	}
}

func (d *sloDecoder) dependencies(v value) {
	if !v.given() {
		return
	}
	if !v.isArray() {
		d.unused("dependencies", v, "must be a list and is not used")
		return
	}
	facts := &d.Event.Facts
	for i, element := range v.elements() {
		if d.full(len(facts.Dependencies)) {
			continue
		}
		path := "dependencies[" + strconv.Itoa(i) + "]"
		var in [len(dependencyFields)]value
		if !element.isObject() {
			d.unused(path, element, "must be an object with a service and is not used")
			continue
		}
		kept := len(facts.Unknown)
		d.object(path+".", element, dependencyFields[:], in[:])
		service := ""
		if in[0].isString() {
			service = oneLine(in[0].text())
		}
		if service == "" {
			facts.Unknown = facts.Unknown[:kept] // the whole entry tells them again
			d.unused(path, element, "must name a service and is not used")
			continue
		}
		facts.Dependencies = append(facts.Dependencies, incident.Dependency{
			Service:         service,
			Availability:    d.number(path+".availability", in[1], 0, 100),
			BudgetRemaining: d.number(path+".error_budget_remaining_percent", in[2], -math.MaxFloat64, 100),
		})
	}
}

func (d *sloDecoder) links(v value) {
	if !v.given() {
		return
	}
	if !v.isArray() {
		d.unused("links", v, "must be a list and is not used")
		return
	}
	facts := &d.Event.Facts
	for i, element := range v.elements() {
		if d.full(len(facts.Links)) {
			continue
		}
		path := "links[" + strconv.Itoa(i) + "]"
		var in [len(linkFields)]value
		if !element.isObject() {
			d.unused(path, element, "must be an object with an href and is not used")
			continue
		}
		kept := len(facts.Unknown)
		d.object(path+".", element, linkFields[:], in[:])
		href := ""
		if in[1].isString() {
			href = oneLine(in[1].text())
		}
		if !isWebAddress(href) {
			facts.Unknown = facts.Unknown[:kept] // the whole entry tells them again
			d.unused(path, element, "must have an href that begins with http:// or https:// and is not used")
			continue
		}
		text := d.line(path+".text", in[0])
		if text == "" {
			text = href
		}
		facts.Links = append(facts.Links, incident.Link{Text: text, Href: href})
	}
}
