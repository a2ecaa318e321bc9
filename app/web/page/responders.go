package page

import (
	"slices"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/incidents"
)

// Responders are the requests of an incident, oldest first, and the last of them that
// waits for the reader's answer; nil for none.
func (req *Request) Responders(escalations []incident.EscalationRecord, records []incident.PageRecord) (all []incidents.Responder, askedBy *incidents.Responder) {
	for _, e := range escalations {
		request, ok := e.Request()
		if !ok {
			continue
		}
		row := req.responder(e, request)
		all = append(all, row)
		if row.State == incidents.ResponderAsked && asksReader(req, e.ID, records) {
			askedBy = &row
		}
	}
	return all, askedBy
}

// asksReader reports whether a request has paged the reader and waits for their answer.
func asksReader(req *Request, escalationID int64, records []incident.PageRecord) bool {
	return slices.ContainsFunc(records, func(r incident.PageRecord) bool {
		return r.EscalationID == escalationID && r.UserID == req.User.ID && !r.Shadow && (r.PageState == "active" || r.PageState == "superseded")
	})
}

func (req *Request) responder(e incident.EscalationRecord, r incident.Request) incidents.Responder {
	row := incidents.Responder{
		Names: element.And(req.Config.Roster.Describe(r.Targets)), By: req.Config.ActorName(r.By), Message: r.Message,
		Kind: string(r.Kind), TakeOver: r.Kind == incident.AskToTakeOver, State: incidents.ResponderState(e.RequestState()), At: e.StartedAt,
	}
	if e.EndedAt != nil {
		row.At = *e.EndedAt
	}
	return row
}
