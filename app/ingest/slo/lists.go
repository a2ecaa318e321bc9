package slo

import (
	"math"
	"strconv"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest/document"
)

func (d *decoder) environment(v document.Value) {
	if !v.Given() {
		return
	}
	if !v.IsObject() {
		d.Unused("environment", v, "must be an object and is not used")
		return
	}
	facts := &d.ev.Facts
	for name, member := range v.Members() {
		if d.Full(len(facts.Environment)) {
			continue
		}
		facts.Environment = append(facts.Environment, incident.Pair{Name: name.Text(), Value: member.Text()})
	}
}

func (d *decoder) dependencies(v document.Value) {
	if !v.Given() {
		return
	}
	if !v.IsArray() {
		d.Unused("dependencies", v, "must be a list and is not used")
		return
	}
	facts := &d.ev.Facts
	for i, element := range v.Elements() {
		if d.Full(len(facts.Dependencies)) {
			continue
		}
		path := "dependencies[" + strconv.Itoa(i) + "]"
		var in [len(dependencyFields)]document.Value
		if !element.IsObject() {
			d.Unused(path, element, "must be an object with a service and is not used")
			continue
		}
		kept := len(d.Unknown)
		d.Object(path+".", element, dependencyFields[:], in[:])
		service := ""
		if in[0].IsString() {
			service = document.OneLine(in[0].Text())
		}
		if service == "" {
			d.Unknown = d.Unknown[:kept] // the whole entry tells them again
			d.Unused(path, element, "must name a service and is not used")
			continue
		}
		facts.Dependencies = append(facts.Dependencies, incident.Dependency{
			Service:         service,
			Availability:    d.Number(path+".availability", in[1], 0, 100),
			BudgetRemaining: d.Number(path+".error_budget_remaining_percent", in[2], -math.MaxFloat64, 100),
		})
	}
}

func (d *decoder) links(v document.Value) {
	if !v.Given() {
		return
	}
	if !v.IsArray() {
		d.Unused("links", v, "must be a list and is not used")
		return
	}
	facts := &d.ev.Facts
	for i, element := range v.Elements() {
		if d.Full(len(facts.Links)) {
			continue
		}
		path := "links[" + strconv.Itoa(i) + "]"
		var in [len(linkFields)]document.Value
		if !element.IsObject() {
			d.Unused(path, element, "must be an object with an href and is not used")
			continue
		}
		kept := len(d.Unknown)
		d.Object(path+".", element, linkFields[:], in[:])
		href := ""
		if in[1].IsString() {
			href = document.OneLine(in[1].Text())
		}
		if !document.IsWebAddress(href) {
			d.Unknown = d.Unknown[:kept] // the whole entry tells them again
			d.Unused(path, element, "must have an href that begins with http:// or https:// and is not used")
			continue
		}
		text := d.Line(path+".text", in[0])
		if text == "" {
			text = href
		}
		facts.Links = append(facts.Links, incident.Link{Text: text, Href: href})
	}
}
