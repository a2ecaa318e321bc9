package people

import (
	"time"

	"github.com/tocsin-oncall/tocsin/views/element"
)

// Invitations are the open invitations that the reader may see, with the form for
// another: POST /people/invitations with email, role and team.
type Invitations struct {
	Open  []Invitation
	Form  InviteForm
	Teams []element.Ref
	// MayInviteAny is for administrators: without a team, and to any role.
	MayInviteAny bool
	// Mail says that an invitation can be sent by email.
	Mail bool
	// New was just made; nil for none.
	New *NewInvitation
}

// InviteForm is the form as it was typed.
type InviteForm struct {
	Email, Role, Team element.Field
}

// Invitation is one that can be used: POST /people/invitations/{id}/revoke.
type Invitation struct {
	ID        int64
	Email     string // empty for a link that was copied
	Role      string
	Team      element.Ref
	By        string
	ExpiresAt time.Time
}

// NewInvitation shows the link, once.
type NewInvitation struct {
	Link      string
	Email     string
	Sent      bool
	NotSent   string // why not
	ExpiresAt time.Time
}

func (i Invitation) who() string {
	if i.Email == "" {
		return "Link"
	}
	return i.Email
}

func (v Invitations) roles() []element.Option {
	var options []element.Option
	for _, r := range Roles {
		if v.MayInviteAny || r == "stakeholder" || r == "responder" {
			options = append(options, element.Option{Value: r, Text: roleName(r)})
		}
	}
	return options
}

func (v Invitations) teamOptions() []element.Option {
	var options []element.Option
	if v.MayInviteAny {
		options = append(options, element.Option{Text: "No team"})
	}
	for _, t := range v.Teams {
		options = append(options, element.Option{Value: t.Slug, Text: t.Name})
	}
	return options
}

func (v Invitations) emailHint() string {
	if v.Mail {
		return "The link is sent there. Leave it empty to copy the link yourself."
	}
	return "No mail server is set up, so you copy the link."
}
