package blueprint

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tocsin-oncall/tocsin/app/organization"
)

// Options say how a file is to be applied.
type Options struct {
	// Prune deletes what a file leaves out of the sections that it gives: never
	// what is in use, and people are deactivated, but for administrators.
	Prune bool
	// TrustVerified takes contacts that the file marks as verified for such. It
	// is for commands on the server itself.
	TrustVerified bool
}

// Plan compares the file with the configuration. The error is a fault of kind
// invalid whose cause, Mistakes, lists all that does not fit together.
func (f *File) Plan(s *organization.State, o Options) (*organization.Plan, error) {
	edits := f.edits
	if o.Prune {
		edits = append(slices.Clip(edits), f.removals(s)...)
	}
	plan, err := organization.MakePlan(s, edits, organization.Options{TrustVerified: o.TrustVerified, Origin: "file"})
	if problems, ok := errors.AsType[organization.Problems](err); ok {
		return nil, f.mistakes(problems).fault(f.Name)
	}
	return plan, err
}

// edits are what a document asks for. What it does not give stays as it is.
func (d *document) edits(f *File) []organization.Edit {
	var all []organization.Edit
	if d.Organization != nil {
		all = append(all, &organization.SetOrganization{Organization: *d.Organization, Input: organization.Input{Path: "organization", Source: f}})
	}
	all = append(all, editsOf(f, "priorities", d.Priorities, func(v organization.Priority, in organization.Input) organization.Edit {
		return &organization.PutPriority{Priority: v, Input: in}
	})...)
	all = append(all, editsOf(f, "users", d.Users, func(v organization.User, in organization.Input) organization.Edit {
		return &organization.PutUser{User: v, Input: in}
	})...)
	all = append(all, editsOf(f, "teams", d.Teams, func(v organization.Team, in organization.Input) organization.Edit {
		return &organization.PutTeam{Team: v, Input: in}
	})...)
	all = append(all, editsOf(f, "deployments", d.Deployments, func(v organization.Deployment, in organization.Input) organization.Edit {
		return &organization.PutDeployment{Deployment: v, Input: in}
	})...)
	all = append(all, editsOf(f, "schedules", d.Schedules, func(v organization.Schedule, in organization.Input) organization.Edit {
		return &organization.PutSchedule{Schedule: v, Input: in}
	})...)
	all = append(all, editsOf(f, "escalation_policies", d.EscalationPolicies, func(v organization.Policy, in organization.Input) organization.Edit {
		return &organization.PutPolicy{Policy: v, Input: in}
	})...)
	all = append(all, editsOf(f, "services", d.Services, func(v organization.Service, in organization.Input) organization.Edit {
		return &organization.PutService{Service: v, Input: in}
	})...)
	return append(all, editsOf(f, "integrations", d.Integrations, func(v organization.Integration, in organization.Input) organization.Edit {
		return &organization.PutIntegration{Integration: v, Input: in}
	})...)
}

func editsOf[T any](f *File, section string, list []T, edit func(T, organization.Input) organization.Edit) []organization.Edit {
	edits := make([]organization.Edit, len(list))
	for i, v := range list {
		edits[i] = edit(v, organization.Input{Path: fmt.Sprintf("%s[%d]", section, i), Source: f})
	}
	return edits
}

// sections are those of the file, by the kind of the things in them.
var sections = map[organization.Kind]string{
	organization.KindPriority: "priorities", organization.KindUser: "users", organization.KindTeam: "teams", organization.KindDeployment: "deployments",
	organization.KindSchedule: "schedules", organization.KindPolicy: "escalation_policies", organization.KindService: "services",
	organization.KindIntegration: "integrations",
}

// removals are of what the configuration has and a section that the file gives
// does not.
func (f *File) removals(s *organization.State) []organization.Edit {
	current, written := s.Document(), f.written()
	var edits []organization.Edit
	for kind, section := range sections {
		if !f.Given(section) {
			continue
		}
		for _, key := range current.Keys(kind) {
			if !written[kind][key] {
				edits = append(edits, &organization.Remove{Kind: kind, Key: key, IfUnused: true})
			}
		}
	}
	return edits
}

// written are the keys of what the file has, in the form in which they are kept.
func (f *File) written() map[organization.Kind]map[string]bool {
	written := map[organization.Kind]map[string]bool{}
	for kind := range sections {
		written[kind] = map[string]bool{}
	}
	for _, e := range f.edits {
		if kind, key := organization.Subject(e); kind != organization.KindOrganization {
			written[kind][key] = true
		}
	}
	return written
}
