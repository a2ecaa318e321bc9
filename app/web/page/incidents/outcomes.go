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
	"acknowledge":  acknowledged,
	"resolve":      resolved,
	"undo-resolve": resolveUndone,
	"reopen":       reopened,
	"escalate":     escalated,
	"priority":     prioritySet,
	"notes":        noted,
}

// outcomeFlash says what came of an act of a kind.
func outcomeFlash(req *page.Request, kind string, out incident.Outcome) layout.Flash {
	if out.Kind == incident.Shadow {
		return layout.Flash{Text: reply.ShadowedText([]int64{out.Incident.Number})}
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
	return layout.Flash{Text: "Acknowledged " + req.Clock.Exact(page.Instant(out.Incident.AcknowledgedAt)) + ". It is yours; nobody else is paged."}
}

func resolved(req *page.Request, out incident.Outcome, first string) layout.Flash {
	address := "/incidents/" + web.FormatInt(out.Incident.Number)
	flash := layout.Flash{Text: first, Later: address + "/reopen", LaterLabel: "Reopen and page"}
	if first == "" {
		flash.Text = "Resolved " + req.Clock.Exact(page.Instant(out.Incident.ResolvedAt)) + "."
		flash.Undo = address + "/undo-resolve"
	}
	return flash
}

func resolveUndone(req *page.Request, out incident.Outcome, _ string) layout.Flash {
	if out.Incident.Status == incident.Acknowledged {
		return layout.Flash{Text: "Taken back. It is " + req.Config.ActorName(out.Incident.AcknowledgedBy) + "’s as before, and nobody was paged."}
	}
	return layout.Flash{Text: "Taken back. Nobody had it, so paging goes on."}
}

func reopened(*page.Request, incident.Outcome, string) layout.Flash {
	return layout.Flash{Text: "Reopened. Whoever is on call is paged."}
}

func escalated(*page.Request, incident.Outcome, string) layout.Flash {
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
