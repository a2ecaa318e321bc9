// Package services shows the service catalog.
package services

import (
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/incidents"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// ListPage is all services, children below their parents: GET /services.
type ListPage struct {
	Frame    layout.Frame
	Services []Node
}

// Node is a service with those that it aggregates.
type Node struct {
	Service     element.Ref
	Description string
	Team        element.Ref
	// Open incidents of the service itself, Unanswered of them triggered.
	Open       int
	Unanswered int
	Worst      element.Priority
	Children   []Node
}

// Page is one service: GET /services/{slug}.
type Page struct {
	Frame       layout.Frame
	Service     element.Ref
	Description string
	// Ancestors lead from the top of the hierarchy to the parent.
	Ancestors    []element.Ref
	Children     []Node
	Team         element.Ref
	Policy       element.Ref
	Deployments  []Deployment
	Runbook      element.Link // text alone where it is a name without address
	Dashboards   []element.Link
	ReopenWindow string // "5 minutes"
	SLOs         []SLO
	Integrations []element.Ref
	Open         []incidents.Row
	// Changes are the latest, newest first.
	Changes []incidents.Change
	Reach   Reach
}

// Deployment is where a service runs.
type Deployment struct {
	Slug       string
	Name       string
	Region     string
	Production bool
}

// SLO is a promise about one SLI of the service.
type SLO struct {
	Name      string
	Endpoint  string
	SLI       string
	Objective float64 // percent
	Window    string  // "28d"
	// Default says that endpoints without an SLO of their own fall under it.
	Default bool
	// Deployments are the names of those that it applies in; none stands for all.
	Deployments    []string
	Priority       element.Priority
	PriorityReason string
}
