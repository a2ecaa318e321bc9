package web

import "github.com/tocsin-oncall/tocsin/app/auth"

// actPermissions are by the names of incident.ActKinds.
var actPermissions = map[string]auth.Action{
	"acknowledge":   auth.ActOnIncident,
	"unacknowledge": auth.ActOnIncident,
	"resolve":       auth.ActOnIncident,
	"undo-resolve":  auth.ActOnIncident,
	"reopen":        auth.ActOnIncident,
	"priority":      auth.ActOnIncident,
	"escalate":      auth.ActOnIncident,
	"notes":         auth.ActOnIncident,

	"undo-acknowledge": auth.ActOnIncident,
	"responders":       auth.ActOnIncident,
	"decline":          auth.ActOnIncident,
	"handover":         auth.ActOnIncident,
	"take-over":        auth.ActOnIncident,
	"snooze":           auth.ActOnIncident,
}

// noPermission is refused to everybody: auth.Allow.
const noPermission auth.Action = -1

// ActPermission is what whoever acts on an incident must be allowed to do, by the
// name of the act's kind. A name that is missing above is refused to everybody.
func ActPermission(name string) auth.Action {
	if permission, ok := actPermissions[name]; ok {
		return permission
	}
	return noPermission
}
