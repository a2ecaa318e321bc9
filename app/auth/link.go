package auth

import (
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// Purpose is the purpose of a one-time link.
type Purpose string

// The purposes of links.
const (
	// ForSetup creates the first administrator, while there is none.
	ForSetup Purpose = "setup"
	// ForPassword sets a person's password: an invitation, or a lost one.
	ForPassword Purpose = "password"
)

// The lifetimes of links.
const (
	SetupLinkLifetime    = 24 * time.Hour
	PasswordLinkLifetime = 72 * time.Hour
)

// OneTimeLink is a link that can be used once. Its token is shown when it is made, and
// only its hash is stored.
type OneTimeLink struct {
	ID        int64 `gorm:"primaryKey"`
	Purpose   Purpose
	Hash      []byte
	UserID    *int64 // of ForPassword
	ExpiresAt time.Time
	UsedAt    *time.Time
	CreatedAt time.Time
}

// newLink makes a link and the token that goes into its address.
func newLink(purpose Purpose, userID *int64, now time.Time, lifetime time.Duration) (token string, l *OneTimeLink) {
	token = base64.RawURLEncoding.EncodeToString(randomBytes(32))
	return token, &OneTimeLink{
		Purpose:   purpose,
		Hash:      hashToken(token),
		UserID:    userID,
		ExpiresAt: now.Add(lifetime),
		CreatedAt: now,
	}
}

// hashToken is the stored hash of a random token. Since tokens cannot be guessed, a
// fast
// hash is sufficient.
func hashToken(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// Usable returns a fault of kind gone where the link was used or has expired.
func (l *OneTimeLink) Usable(now time.Time) error {
	switch {
	case l.UsedAt != nil:
		return fault.Gone("This link has been used. Ask for another.")
	case !now.Before(l.ExpiresAt):
		return fault.Gone("This link has expired. Ask for another.")
	}
	return nil
}

// ErrHasAdministrator refuses a setup link once there is an administrator.
var ErrHasAdministrator error = fault.Gone("Tocsin has been set up. Sign in, or ask an administrator for an invitation.")
