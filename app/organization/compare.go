package organization

// compare writes the plan: what the desired document has that the current one
// has not, or has otherwise. Whatever is referred to comes first; what is deleted
// comes last, the other way round.
func (d *draft) compare() {
	was, is := d.current, d.desired
	compared(d, KindPriority, was.Priorities, is.Priorities, Priority.key)
	compared(d, KindUser, was.Users, is.Users, User.key)
	compared(d, KindTeam, was.Teams, is.Teams, Team.key)
	compared(d, KindDeployment, was.Deployments, is.Deployments, Deployment.key)
	for _, s := range is.Schedules {
		d.schedule(s)
	}
	compared(d, KindPolicy, was.EscalationPolicies, is.EscalationPolicies, Policy.key)
	compared(d, KindService, was.Services, is.Services, Service.key)
	compared(d, KindIntegration, was.Integrations, is.Integrations, Integration.key)
	d.rekeyed(was.Integrations, is.Integrations)
	d.unopened()
	d.tried(was.Integrations, is.Integrations)
	d.change(KindOrganization, "", differences(*was.Organization, *is.Organization), *is.Organization)
	d.plan.Changes = append(d.plan.Changes, d.removed...)
}

// rekeyed notes the integrations whose signals have other dedup keys from now on.
func (d *draft) rekeyed(current, desired []Integration) {
	for _, is := range desired {
		if was := find(current, is.Slug, Integration.key); was != nil && was.Dedup != is.Dedup {
			d.note("integration %s: incidents that are open keep their dedup keys. Resolve by hand those that no recovery ends.", is.Slug)
		}
	}
}

// unopened notes the integrations that edits are of and whose keys stay as they
// are, since they cannot be opened.
func (d *draft) unopened() {
	for _, was := range d.state.Integrations {
		is := find(d.desired.Integrations, was.Slug, Integration.key)
		if was.KeyErr != nil && is != nil && is.Key == "" && d.thing(KindIntegration, was.Slug).touched {
			d.note("integration %s: its key stays as it is, and cannot be opened with this server's secret. Give it a new key to be shown one.", was.Slug)
		}
	}
}

func compared[T any](d *draft, kind Kind, current, desired []T, key func(T) string) {
	was := make(map[string]T, len(current))
	for _, v := range current {
		was[key(v)] = v
	}
	for _, v := range desired {
		before, exists := was[key(v)]
		if !exists {
			d.plan.Changes = append(d.plan.Changes, Change{Op: Create, Kind: kind, Key: key(v), Value: v})
			continue
		}
		d.change(kind, key(v), differences(before, v), v)
	}
}

// change adds an update, where there is a difference.
func (d *draft) change(kind Kind, key string, words []string, v any) {
	switch {
	case len(words) > 0:
		d.plan.Changes = append(d.plan.Changes, Change{Op: Update, Kind: kind, Key: key, Words: words, Value: v})
	case d.thing(kind, key).touched:
		d.plan.Unchanged++
	}
}
