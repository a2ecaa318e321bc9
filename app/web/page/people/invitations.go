package people

import (
	"context"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	"github.com/tocsin-oncall/tocsin/views/element"
	view "github.com/tocsin-oncall/tocsin/views/people"
)

func (p *handlers) mountInvitations() {
	p.Routes.Post("/people/invitations", p.Require(auth.ViewPeople, p.invite))
	p.Routes.Post("/people/invitations/:id/revoke", p.Require(auth.ViewPeople, p.revokeInvitation))
}

// teamsToInvite are those that the reader may invite to.
func teamsToInvite(req *page.Request) []element.Ref {
	var refs []element.Ref
	for _, t := range req.Config.Teams {
		if req.MayOn(auth.Invite, teamObject(t)) {
			refs = append(refs, element.Ref{Slug: t.Slug, Name: t.Name})
		}
	}
	return page.SortByName(refs)
}

func teamObject(t catalog.Team) auth.Object {
	if t.ManagerID == nil {
		return auth.Object{}
	}
	return auth.Object{ManagerID: *t.ManagerID}
}

// invitations are nil for readers who may invite nobody.
func (p *handlers) invitations(ctx context.Context, req *page.Request) (*view.Invitations, error) {
	teams := teamsToInvite(req)
	administers := req.May(auth.ManagePeople)
	if !administers && len(teams) == 0 {
		return nil, nil
	}
	data := &view.Invitations{Teams: teams, MayInviteAny: administers, Mail: p.sendsMail(), Form: view.InviteForm{Role: element.Field{Value: string(auth.Responder)}}}
	open, err := p.Auth.OpenInvitations(ctx)
	if err != nil {
		return nil, err
	}
	for _, i := range open {
		team := teamOf(req.Config, i.TeamID)
		if !req.MayOn(auth.Invite, teamObject(team)) {
			continue
		}
		data.Open = append(data.Open, view.Invitation{ID: i.ID, Email: i.Email, Role: string(i.Role), Team: element.Ref{Slug: team.Slug, Name: team.Name},
			By: req.Config.ActorName(i.CreatedBy), ExpiresAt: i.ExpiresAt})
	}
	return data, nil
}

// teamOf is the zero value for none.
func teamOf(config *page.Config, id *int64) catalog.Team {
	if id == nil {
		return catalog.Team{}
	}
	return config.Team(*id)
}

// sendsMail reports whether an invitation can be sent by email.
func (p *handlers) sendsMail() bool { return !p.OnlyLog() && p.Works(notify.Email) }

// invite makes an invitation, sends it where it has an address, and shows its link,
// once.
func (p *handlers) invite(c echo.Context, req *page.Request) error {
	n := auth.NewInvitation{Email: c.FormValue("email"), Role: auth.Role(c.FormValue("role"))}
	if slug := c.FormValue("team"); slug != "" {
		team, err := req.Config.TeamNamed(slug)
		if err != nil {
			return err
		}
		n.TeamID, n.ManagerID = &team.ID, teamObject(team).ManagerID
	}
	token, made, err := p.Auth.Invite(c.Request().Context(), req.Actor, n)
	if faults, ok := page.FieldErrorsOf(err); ok {
		return p.showPeople(c, req, http.StatusUnprocessableEntity, func(data *view.ListPage) {
			data.Invitations.Form = view.InviteForm{Email: faults.Field(c, "email"), Role: faults.Field(c, "role"), Team: faults.Field(c, "team")}
		})
	}
	if err != nil {
		return p.Refused(c, "/people", err)
	}
	link := p.PublicURL() + "/invite/" + token
	shown := view.NewInvitation{Link: link, Email: made.Email, ExpiresAt: made.ExpiresAt}
	if made.Email != "" {
		shown.Sent, shown.NotSent = p.mail(c.Request().Context(), req, made.Email, link)
	}
	return p.showPeople(c, req, http.StatusOK, func(data *view.ListPage) { data.Invitations.New = &shown })
}

// mail sends the link. Where it is not sent, it says why.
func (p *handlers) mail(ctx context.Context, req *page.Request, to, link string) (sent bool, why string) {
	if !p.sendsMail() {
		return false, "no mail server is set up"
	}
	ctx, cancel := context.WithTimeout(ctx, notify.CallTimeout)
	defer cancel()
	text := fmt.Sprintf("%s invites you to Tocsin at %s\nOpen this link to create your account: %s\nIt works once, within 7 days.", req.User.Name, req.Config.Organization.Name, link)
	_, failure := p.Channels.Channel(notify.Email).Deliver(ctx, notify.Message{Kind: notify.KindNotice, Medium: notify.Email, To: to, Text: text})
	if failure != nil {
		return false, failure.Reason
	}
	return true, ""
}

func (p *handlers) revokeInvitation(c echo.Context, req *page.Request) error {
	id, err := page.ID(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	i, err := p.Auth.Invitation(ctx, id)
	if err != nil {
		return err
	}
	err = p.Auth.RevokeInvitation(ctx, req.Actor, id, teamObject(teamOf(req.Config, i.TeamID)).ManagerID)
	if fault.Is(err, fault.KindConflict) {
		return p.Refused(c, "/people", err)
	}
	if err != nil {
		return err
	}
	return p.Done(c, "/people", "The invitation is revoked.")
}
