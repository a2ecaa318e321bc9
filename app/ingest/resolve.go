package ingest

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest/document"
)

// maxAhead bounds how far a sender's clock may be ahead of ours. A start that is later
// than the receipt of its signal by more is not used.
const maxAhead = 5 * time.Minute

// Resolve resolves an event that is no change by a configuration: the service,
// whether the deployment is known, the priority, and the dedup key where the
// integration has a rule for it. at is the time of receipt: a start more than
// maxAhead after it is not used, with a warning, since an alert that starts in the
// future could not be ended by a recovery. Unknown names are warnings. The only fault
// is Invalid: an unknown service, from a key without a service, in an organisation
// without a catch-all.
func Resolve(snapshot *catalog.Snapshot, integration catalog.Integration, format *Format, sent *Event, at time.Time) (Signal, error) {
	ev := sent.Event
	ev.Warnings = slices.Clip(ev.Warnings) // the event may be resolved again
	ev.Facts.Sender, ev.Facts.Severity = integration.Name, ev.Severity
	ev.DedupKey, ev.Group = ShortenKey(ev.DedupKey), ShortenKey(ev.Group)
	if ev.StartedAt.After(at.Add(maxAhead)) {
		dropFutureStart(&ev, format.Names.StartedAt)
	}

	service, warning, err := serviceOf(snapshot, integration, format, ev.ServiceName)
	if err != nil {
		return Signal{}, err
	}
	if warning != "" {
		ev.Warnings = append(ev.Warnings, warning)
	}
	deployment, known := snapshot.Deployment(ev.Deployment)
	if !known && ev.Deployment != "" {
		ev.Warnings = append(ev.Warnings, unknownDeployment(ev.Deployment))
	}
	budget := sent.Budget
	var sloPriority *int
	recordOnly := false
	if slo, ok := sloMeant(snapshot, service.ID, &ev); ok {
		sloPriority = slo.Priority
		if budget.Window == 0 {
			budget.Window, _ = document.ParseDuration(slo.Window)
		}
		if recordOnly = known && !slo.AppliesIn(deployment.Slug); recordOnly && ev.Action == incident.Trigger {
			ev.Warnings = append(ev.Warnings, fmt.Sprintf("The SLO %s does not apply in the deployment %s: the breach is recorded and pages nobody.", slo.Slug, deployment.Slug))
		}
	}
	if ev.Action == incident.Trigger && ev.Snooze > 0 {
		until := at.Add(ev.Snooze)
		ev.Facts.PausedUntil = &until
	}
	choice := incident.ChoosePriority(sent.Priority, sloPriority, budget, snapshot.Priorities())
	ev.Priority, ev.PrioritySource = choice.Level, choice.Source
	ev.Warnings = append(ev.Warnings, choice.Warnings...)

	signal := Signal{
		ServiceID: service.ID, ConfigVersion: snapshot.Version(), ReceivedAt: at,
		Rules: incident.Rules{
			ServiceID: service.ID, IntegrationID: integration.ID, Actor: "integration:" + integration.Name,
			ReopenWindow:    time.Duration(service.ReopenWindow) * time.Second,
			DeploymentKnown: known, Production: deployment.Kind == catalog.Production, RecordOnly: recordOnly,
		},
	}
	if integration.Dedup != "" {
		signal.KeyWithoutRule = applyDedupRule(&ev, snapshot, integration, format, sent)
	}
	signal.Event = ev
	if service.PolicyID != nil {
		if id, ok := snapshot.PolicyVersionAt(*service.PolicyID, at); ok {
			signal.PolicyVersionID = &id
		}
	}
	return signal, nil
}

// sloMeant is the catalog's SLO that an event is about. An SLA is none of them, though
// it may have the endpoint and SLI of one.
func sloMeant(snapshot *catalog.Snapshot, serviceID int64, ev *incident.Event) (catalog.SLO, bool) {
	if ev.Facts.SLA {
		return catalog.SLO{}, false
	}
	return snapshot.SLOMeant(serviceID, ev.Facts.SLOName, ev.Deployment, ev.Facts.Endpoint, ev.Facts.SLI)
}

// dropFutureStart removes a start in the future, with a warning.
func dropFutureStart(ev *incident.Event, name string) {
	start := strconv.Quote(ev.StartedAt.Format(time.RFC3339Nano))
	ev.Facts.Unknown = append(slices.Clip(ev.Facts.Unknown), incident.Pair{Name: name, Value: start})
	ev.Warnings = append(ev.Warnings, name+" lies in the future and is not used; the time of receipt stands for it.")
	ev.StartedAt, ev.Facts.StartedAt = time.Time{}, nil
}

// serviceOf finds the service: the key's own, else the one that the sender
// names, else the catch-all.
func serviceOf(snapshot *catalog.Snapshot, integration catalog.Integration, format *Format, name string) (s catalog.Service, warning string, err error) {
	named, known := catalog.Service{}, false
	if name != "" {
		named, known = snapshot.ServiceNamed(name)
	}
	if integration.ServiceID != nil {
		if own, ok := snapshot.Service(*integration.ServiceID); ok {
			if name != "" && (!known || named.ID != own.ID) {
				warning = fmt.Sprintf("The sender names the service %q; the key belongs to %s.", name, own.Slug)
			}
			return own, warning, nil
		}
	}
	if known {
		return named, "", nil
	}
	if id := snapshot.Organization().CatchAllServiceID; id != nil {
		if all, ok := snapshot.Service(*id); ok {
			if name == "" {
				return all, fmt.Sprintf("The sender names no service; the signal went to %s.", all.Slug), nil
			}
			return all, fmt.Sprintf("The service %q is not known; the signal went to %s.", name, all.Slug), nil
		}
	}
	f, message := fault.Invalid("There is no service %q.", name), "must be the slug or the name of a service"
	if name == "" {
		f, message = fault.Invalid("The key belongs to no service, and the sender names none."), "is missing"
	}
	if path := format.Names.Service; path != "" {
		f = f.With(fault.Field{Path: path, Message: message})
	}
	return catalog.Service{}, "", f
}
