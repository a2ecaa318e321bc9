package sample

import (
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/incidents"
	"github.com/tocsin-oncall/tocsin/views/layout"
	"github.com/tocsin-oncall/tocsin/views/link"
)

// askedIncident has requests in every state, one of which asks the reader.
func askedIncident() incidents.IncidentPage {
	p := acknowledged()
	asks := incidents.Responder{Names: ana.Name, By: ben.Name, Message: "Can you look at the ledger?", State: incidents.ResponderAsked, TakeOver: true, At: at("03:12:00")}
	p.Acts.AskedBy = &asks
	p.Acts.Responders = []incidents.Responder{
		{Names: chiara.Name, By: ben.Name, State: incidents.ResponderJoined, At: at("03:04:00")},
		{Names: "everyone in Platform", By: ben.Name, State: incidents.ResponderDeclined, At: at("03:05:00")},
		{Names: emre.Name, By: ben.Name, State: incidents.ResponderUnanswered, At: at("03:06:00")},
		{Names: farah.Name, By: ben.Name, State: incidents.ResponderNobody, At: at("03:07:00")},
		asks,
	}
	return p
}

// owned is acknowledged by somebody else, who can be asked, relieved and taken over from.
func owned() incidents.IncidentPage {
	p := acknowledged()
	p.AcknowledgedBy, p.Acts.Owner = ben.Name, ben.Name
	p.Acts.Join = incidents.StepAhead{Names: "Ana Ortiz, Chiara Conti and Farah Siddiqui", Place: "the fallback"}
	p.Acts.Reassign = incidents.StepAhead{Names: ana.Name, Place: "step 1", Again: true}
	p.Acts.SnoozedUntil, p.Acts.Tomorrow = at("05:00:00"), at("09:00:00").AddDate(0, 0, 1)
	return p
}

// ask has an error and a choice that was sent.
func ask(handOver bool) incidents.AskPage {
	p := incidents.AskPage{
		Frame: frame("Add people", layout.Incidents), Number: 17, Title: title, HandOver: handOver, Owner: ben.Name, Selected: []string{"users2"},
		Message: element.Field{Value: "Can you look at the ledger?"}, Error: "Choose somebody to ask.",
		Groups: []incidents.CandidateGroup{
			{Field: "users", Title: "People", Candidates: []incidents.Candidate{{Value: "2", Name: chiara.Name}, {Value: "3", Name: emre.Name, Unreachable: true}}, More: 4},
			{Field: "schedules", Title: "On call", Candidates: []incidents.Candidate{{Value: "1", Name: "On call in Payments", Note: ben.Name}}},
			{Field: "teams", Title: "Teams", Candidates: []incidents.Candidate{{Value: "1", Name: "Everyone in Payments", Note: "5 people"}}},
		},
	}
	if handOver {
		p.Frame, p.Selected, p.Groups = frame("Hand over", layout.Incidents), []string{"2"}, p.Groups[:1]
		p.Groups[0].Field = "user"
	}
	return p
}

func bulk() incidents.BulkPage {
	return incidents.BulkPage{
		Frame: frame("Resolve", layout.Incidents), Action: "/incidents/resolve", Verb: "Resolve", Tab: incidents.Open, Resolution: "Rolled back.",
		Scope: incidents.Scope{All: 5, Others: 2}, Own: []int64{11, 12, 13}, Others: []int64{14, 15}, Teams: []string{platform.Name},
	}
}

// linkAsked is for somebody who is asked to join an incident that another owns.
func linkAsked() link.Page {
	p := linkPage(link.DoneNothing)
	p.Status, p.AcknowledgedBy, p.AcknowledgedAt = incidents.Acknowledged, ben.Name, at("03:11:40")
	p.AskedBy = &incidents.Responder{Names: ana.Name, By: ben.Name, Message: "Can you look at the ledger?", State: incidents.ResponderAsked, At: at("03:12:00")}
	p.MayResolve = true
	return p
}
