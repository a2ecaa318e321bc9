package incidents

import (
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	view "github.com/tocsin-oncall/tocsin/views/incidents"
)

// fillAct fills in the line of a request, a snooze or a change of the owner.
func fillAct(req *page.Request, line *view.Event, payload incident.Payload) {
	switch p := payload.(type) {
	case incident.RequestedPayload:
		line.Via, line.To, line.Targets, line.Text = p.Via, string(p.For), p.Targets, p.Message
	case incident.AskedPayload:
		line.Targets, line.People, line.Run = p.Targets, req.Config.Persons(p.People), p.Run
	case incident.ResponderJoinedPayload:
		line.Via = p.Via
	case incident.DeclinedPayload:
		line.Via, line.Text = p.Via, p.Reason
	case incident.RequestEndedPayload:
		line.To, line.Targets = string(p.Outcome), p.Targets
	case incident.TakenOverPayload:
		line.Via, line.People = p.Via, req.Config.Persons(p.From)
	case incident.SnoozedPayload:
		line.Via, line.Until = p.Via, p.Until
	case incident.SnoozeOverPayload:
		if p.Early {
			line.Count = 1
		}
	case incident.AcknowledgeUndonePayload:
		line.Via = p.Via
	}
}
