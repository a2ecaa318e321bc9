package auth

import (
	"slices"
	"strings"
	"time"
)

// Token is an API token. Its secret is shown when it is made, and only its hash is
// stored.
type Token struct {
	ID   int64 `gorm:"primaryKey"`
	Name string
	// Scope is what the token may do: as much as a person of that role, or
	// Read.
	Scope     Role
	Hash      []byte
	CreatedBy string // an actor
	CreatedAt time.Time
	// LastUsedAt is exact to tokenTouch.
	LastUsedAt *time.Time
	RevokedAt  *time.Time
}

// TableName is the table of API tokens.
func (Token) TableName() string { return "api_tokens" }

// Actor is the token as the one who acts.
func (t *Token) Actor() Actor { return Actor{Kind: ByToken, Name: t.Name, Role: t.Scope} }

const (
	// tokenPrefix lets people and secret scanners recognise a token.
	tokenPrefix = "tok_"
	tokenRandom = 40 // characters of randomText, 206 bits
	tokenTouch  = time.Minute
)

// ParseScope reads the name of a token's scope.
func ParseScope(name string) (Role, error) {
	if r := Role(name); r == Read || slices.Contains(Roles, r) {
		return r, nil
	}
	return "", fieldFault("scope", "A scope is read, stakeholder, responder, manager or administrator.")
}

func newTokenSecret() string { return tokenPrefix + randomText(tokenRandom) }

func looksLikeToken(secret string) bool {
	return len(secret) == len(tokenPrefix)+tokenRandom && strings.HasPrefix(secret, tokenPrefix)
}
