package incidents

import (
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/reply"
	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// outcomeWords say what came of an act that was allowed, by the names of
// incident.ActKinds. first says who was faster, and is empty where nobody was.
var outcomeWords = map[string]func(req *page.Request, out incident.Outcome, first string) layout.Flash{
	"acknowledge":      acknowledged,
	"undo-acknowledge": acknowledgmentUndone,
	"unacknowledge":    unacknowledged,
	"resolve":          resolved,
	"undo-resolve":     resolveUndone,
	"reopen":           reopened,
	"escalate":         escalated,
	"priority":         prioritySet,
	"notes":            noted,
	"responders":       requested,
	"decline":          declined,
	"handover":         handedOver,
	"take-over":        takenOver,
	"snooze":           snoozed,
}

// outcomeFlash says what came of an act of a kind.
func outcomeFlash(req *page.Request, kind string, out incident.Outcome) layout.Flash {
	if out.Kind == incident.Shadow {
		return layout.Flash{Text: reply.ShadowedText([]int64{out.Incident.Number})}
	}
	if out.Kind == incident.Joined {
		return layout.Flash{Text: "You joined. " + req.Config.ActorName(out.By) + " still owns this incident."}
	}
	first := ""
	if out.Faster(req.Actor.String()) {
		first = req.Config.ActorName(out.By) + " was first, at " + req.Clock.Exact(out.At) + "."
	}
	words, ok := outcomeWords[kind]
	if !ok {
		return layout.Flash{}
	}
	return words(req, out, first)
}

func acknowledged(req *page.Request, out incident.Outcome, first string) layout.Flash {
	if first != "" {
		return layout.Flash{Text: first}
	}
	flash := layout.Flash{Text: "Acknowledged. You own this incident; paging has stopped."}
	if out.Kind == incident.Done && out.Incident.AcknowledgedBy == req.Actor.String() {
		flash.Undo = incidentAddress(out) + "/undo-acknowledge"
	}
	return flash
}

func incidentAddress(out incident.Outcome) string {
	return "/incidents/" + web.FormatInt(out.Incident.Number)
}

// owner is who owns an incident, for a sentence.
func owner(req *page.Request, out incident.Outcome) string {
	if out.Incident.AcknowledgedBy == req.Actor.String() {
		return "You still own"
	}
	return req.Config.ActorName(out.Incident.AcknowledgedBy) + " still owns"
}

func acknowledgmentUndone(*page.Request, incident.Outcome, string) layout.Flash {
	return layout.Flash{Text: "Acknowledgment undone. Escalation continues where it stopped."}
}

func unacknowledged(*page.Request, incident.Outcome, string) layout.Flash {
	return layout.Flash{Text: "Unacknowledged. Whoever is on call is paged."}
}

func requested(_ *page.Request, out incident.Outcome, _ string) layout.Flash {
	if out.Kind == incident.Already {
		return layout.Flash{Text: "They are asked already."}
	}
	return layout.Flash{Text: "Asked to join. They are being paged."}
}

func declined(*page.Request, incident.Outcome, string) layout.Flash {
	return layout.Flash{Text: "Declined. You are not paged for this request any more."}
}

func handedOver(req *page.Request, out incident.Outcome, first string) layout.Flash {
	switch {
	case out.Incident.AcknowledgedBy == "":
		return layout.Flash{Text: "Asked to take over. They are being paged."}
	case first != "" || out.Kind == incident.Already:
		return layout.Flash{Text: "They own it or are asked already."}
	}
	return layout.Flash{Text: "Asked to take over. " + owner(req, out) + " it until they accept."}
}

func takenOver(_ *page.Request, out incident.Outcome, _ string) layout.Flash {
	if out.Kind == incident.Already {
		return layout.Flash{Text: "You own this incident already."}
	}
	return layout.Flash{Text: "You own this incident now."}
}

func snoozed(req *page.Request, out incident.Outcome, _ string) layout.Flash {
	return layout.Flash{Text: "Snoozed until " + req.Clock.When(page.Instant(out.Incident.SnoozedUntil)) + ". Then paging starts again."}
}

func resolved(req *page.Request, out incident.Outcome, first string) layout.Flash {
	address := incidentAddress(out)
	flash := layout.Flash{Text: first, Later: address + "/reopen", LaterLabel: "Reopen and page"}
	if first == "" {
		flash.Text = "Resolved " + req.Clock.Exact(page.Instant(out.Incident.ResolvedAt)) + "."
		flash.Undo = address + "/undo-resolve"
	}
	return flash
}

func resolveUndone(req *page.Request, out incident.Outcome, _ string) layout.Flash {
	if out.Incident.Status == incident.Acknowledged {
		return layout.Flash{Text: "Resolve undone. " + owner(req, out) + " it, and nobody was paged."}
	}
	return layout.Flash{Text: "Resolve undone. Nobody owns it, so paging goes on."}
}

func reopened(*page.Request, incident.Outcome, string) layout.Flash {
	return layout.Flash{Text: "Reopened. Whoever is on call is paged."}
}

func escalated(req *page.Request, out incident.Outcome, _ string) layout.Flash {
	if out.Incident.Status == incident.Acknowledged {
		return layout.Flash{Text: "The next step is asked to join. " + owner(req, out) + " it."}
	}
	return layout.Flash{Text: "Escalated. The next step is paged."}
}

func prioritySet(req *page.Request, out incident.Outcome, _ string) layout.Flash {
	switch p := req.Config.Priority(out.Incident.Priority); {
	case p.Unset():
		return layout.Flash{Text: "The priority is unset now."}
	case p == element.NoPriority:
		return layout.Flash{Text: "The incident has no priority now."}
	default:
		return layout.Flash{Text: "The priority is " + p.Name + " now."}
	}
}

func noted(*page.Request, incident.Outcome, string) layout.Flash {
	return layout.Flash{Text: "Your note is on the timeline."}
}
