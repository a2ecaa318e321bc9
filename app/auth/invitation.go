package auth

import (
	"context"
	"encoding/base64"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

const (
	// InvitationLifetime is how long an invitation can be used.
	InvitationLifetime = 7 * 24 * time.Hour
	// InvitationsAnHour bounds the invitations that one person makes, which may be sent
	// to strangers.
	InvitationsAnHour = 30
)

// Invitation lets one person create an account by a link. Its token is shown when it is
// made, and only its hash is stored.
type Invitation struct {
	ID   int64 `gorm:"primaryKey"`
	Hash []byte
	// Email is where it was sent to, and the address of the account; empty where the
	// link was copied, so that the person gives their own.
	Email string
	Role  Role
	// TeamID is the team that the person becomes a member of; nil for none.
	TeamID    *int64
	CreatedBy string // as Actor.String writes it
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    *time.Time
	UserID    *int64 // who used it
	RevokedAt *time.Time
}

// Usable returns a fault of kind gone where the invitation was used, revoked or has
// expired.
func (i *Invitation) Usable(now time.Time) error {
	switch {
	case i.UsedAt != nil:
		return fault.Gone("This invitation has been used. Sign in, or ask for another.")
	case i.RevokedAt != nil:
		return fault.Gone("This invitation was revoked. Ask for another.")
	case !now.Before(i.ExpiresAt):
		return fault.Gone("This invitation has expired. Ask for another.")
	}
	return nil
}

// Invitations is the part of Store that keeps invitations.
type Invitations interface {
	// CreateInvitation sets the invitation's ID. Fault: Limited where the actor made
	// InvitationsAnHour since an instant.
	CreateInvitation(ctx context.Context, by Actor, i *Invitation, since time.Time) error
	Invitation(ctx context.Context, id int64) (*Invitation, error)
	InvitationByHash(ctx context.Context, hash []byte) (*Invitation, error)
	// OpenInvitations can be used at an instant, newest first.
	OpenInvitations(ctx context.Context, now time.Time) ([]Invitation, error)
	RevokeInvitation(ctx context.Context, by Actor, id int64, now time.Time) error
	// UseInvitation uses the invitation and creates its person, a member of its team,
	// in one transaction. Of concurrent calls one succeeds; the others fail with Gone.
	UseInvitation(ctx context.Context, hash []byte, u *User, now time.Time) error
}

// NewInvitation is the input for an invitation.
type NewInvitation struct {
	Email string // optional
	Role  Role
	// TeamID is optional for administrators. ManagerID is the team's manager.
	TeamID    *int64
	ManagerID int64
}

// Invite makes an invitation and returns the token of its link. Managers invite to the
// teams that they manage, as responders or stakeholders.
func (s *Service) Invite(ctx context.Context, by Actor, n NewInvitation) (token string, i *Invitation, err error) {
	if err := mayInvite(by, n.Role, n.ManagerID); err != nil {
		return "", nil, err
	}
	var wrong []fault.Field
	if _, err := ParseRole(string(n.Role)); err != nil {
		wrong = append(wrong, fields(err)...)
	}
	if n.Email != "" {
		n.Email, err = NormalizeEmail(n.Email)
		wrong = append(wrong, fields(err)...)
	}
	if wrong != nil {
		return "", nil, fault.Invalid("%s", wrong[0].Message).With(wrong...)
	}
	if n.Email != "" {
		switch _, err := s.store.UserByEmail(ctx, n.Email); {
		case err == nil:
			return "", nil, fieldFault("email", "This person has an account already.")
		case !fault.Is(err, fault.KindNotFound):
			return "", nil, err
		}
	}
	now := s.now()
	token = base64.RawURLEncoding.EncodeToString(randomBytes(32))
	i = &Invitation{Hash: hashToken(token), Email: n.Email, Role: n.Role, TeamID: n.TeamID, CreatedBy: by.String(), CreatedAt: now,
		ExpiresAt: now.Add(InvitationLifetime)}
	return token, i, s.store.CreateInvitation(ctx, by, i, now.Add(-time.Hour))
}

func mayInvite(by Actor, role Role, managerID int64) error {
	if err := Allow(by, Invite, Object{ManagerID: managerID}); err != nil {
		return err
	}
	if role.AtLeast(Manager) && Allow(by, ManagePeople, Object{}) != nil {
		return fault.Forbidden("Only administrators may invite managers and administrators; your role is %s.", by.Role)
	}
	return nil
}

// OpenInvitations are those that can be used.
func (s *Service) OpenInvitations(ctx context.Context) ([]Invitation, error) {
	return s.store.OpenInvitations(ctx, s.now())
}

// Invitation is one invitation.
func (s *Service) Invitation(ctx context.Context, id int64) (*Invitation, error) {
	return s.store.Invitation(ctx, id)
}

// RevokeInvitation ends an invitation. ManagerID is the manager of its team.
func (s *Service) RevokeInvitation(ctx context.Context, by Actor, id, managerID int64) error {
	if err := Allow(by, Invite, Object{ManagerID: managerID}); err != nil {
		return err
	}
	return s.store.RevokeInvitation(ctx, by, id, s.now())
}

// OpenInvitation is the invitation of a token, without using it. Faults: NotFound for an
// unknown one, Gone for one that cannot be used.
func (s *Service) OpenInvitation(ctx context.Context, token string) (*Invitation, error) {
	i, err := s.store.InvitationByHash(ctx, hashToken(token))
	if err != nil {
		return nil, err
	}
	return i, i.Usable(s.now())
}

// AcceptInvitation uses an invitation: it creates the person with a password and signs
// them in. The role of the profile is ignored, and so is the address where the
// invitation has one.
func (s *Service) AcceptInvitation(ctx context.Context, token string, p Profile, password string) (*User, error) {
	i, err := s.OpenInvitation(ctx, token)
	if err != nil {
		return nil, err
	}
	p.Role = i.Role
	if i.Email != "" {
		p.Email = i.Email
	}
	p, err = p.Check()
	if wrong := append(fields(err), fields(CheckPassword(password))...); len(wrong) > 0 {
		return nil, fault.Invalid("%s", wrong[0].Message).With(wrong...)
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return nil, err
	}
	now := s.now()
	u := &User{Email: p.Email, Name: p.Name, Role: p.Role, Timezone: p.Timezone, PasswordHash: hash, Active: true, CreatedAt: now}
	if err := s.store.UseInvitation(ctx, hashToken(token), u, now); err != nil {
		return nil, err
	}
	return u, s.sessions.begin(ctx, u)
}
