package organization

import (
	"context"
	"errors"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
)

// PeopleEditor makes the edits of single people that package auth asks for.
type PeopleEditor struct {
	// Editor needs no keys of integrations.
	Editor *Editor
}

var _ auth.PeopleEditor = PeopleEditor{}

// SetProfile implements auth.PeopleEditor.
func (p PeopleEditor) SetProfile(ctx context.Context, by auth.Actor, email, name, timezone string) error {
	return p.edit(ctx, by, &SetProfile{Email: email, Name: name, Timezone: timezone})
}

// SetRole implements auth.PeopleEditor.
func (p PeopleEditor) SetRole(ctx context.Context, by auth.Actor, email string, role auth.Role) error {
	return p.edit(ctx, by, &SetRole{Email: email, Role: string(role), Path: "role"})
}

// SetNameAndRole implements auth.PeopleEditor.
func (p PeopleEditor) SetNameAndRole(ctx context.Context, by auth.Actor, email, name string, role auth.Role) error {
	return p.edit(ctx, by, &SetName{Email: email, Name: name}, &SetRole{Email: email, Role: string(role), Path: "role"})
}

// SetActive implements auth.PeopleEditor.
func (p PeopleEditor) SetActive(ctx context.Context, by auth.Actor, email string, active bool) error {
	return p.edit(ctx, by, &SetActive{Email: email, Active: active})
}

// PlanActive implements auth.PeopleEditor.
func (p PeopleEditor) PlanActive(ctx context.Context, email string, active bool) (notes []string, err error) {
	plan, err := p.Editor.Plan(ctx, &SetActive{Email: email, Active: active})
	if err != nil {
		return nil, withKind(err)
	}
	return plan.Notes, nil
}

func (p PeopleEditor) edit(ctx context.Context, by auth.Actor, edits ...Edit) error {
	_, err := p.Editor.Edit(ctx, by, edits...)
	return withKind(err)
}

// withKind is a problem that has a kind of its own as a fault of that kind.
func withKind(err error) error {
	problems, _ := errors.AsType[Problems](err)
	for _, problem := range problems {
		switch problem.Fault {
		case fault.KindNotFound:
			return fault.NotFound("There is no such person.")
		case fault.KindConflict:
			return fault.Conflict("%s", problem.sentence())
		}
	}
	return err
}
