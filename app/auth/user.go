// Package auth has accounts, passwords, sessions, one-time links, API tokens,
// permissions, the audit log, and the keys for sealing and signing secrets.
package auth

import (
	"errors"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// Role says what a person may do: see the table in permission.go.
type Role string

// The roles of people, each of which may do what the one before it may.
const (
	Stakeholder   Role = "stakeholder"
	Responder     Role = "responder"
	Manager       Role = "manager"
	Administrator Role = "administrator"
)

// Roles are the roles of people, the least first.
var Roles = []Role{Stakeholder, Responder, Manager, Administrator}

// AtLeast reports whether r has all permissions of least. It is false for Read, which
// is
// no role of people.
func (r Role) AtLeast(least Role) bool {
	i := slices.Index(Roles, r)
	return i >= 0 && i >= slices.Index(Roles, least)
}

// ParseRole reads the name of a person's role.
func ParseRole(name string) (Role, error) {
	if r := Role(name); slices.Contains(Roles, r) {
		return r, nil
	}
	return "", fieldFault("role", "A role is stakeholder, responder, manager or administrator.")
}

// User is a person who may sign in, be on call, or both.
type User struct {
	ID    int64 `gorm:"primaryKey"`
	Email string
	Name  string
	Role  Role
	// Timezone is an IANA zone, or empty for the organisation's.
	Timezone string
	// PasswordHash is an argon2id PHC string; empty while the person has set no
	// password and cannot sign in by one.
	PasswordHash string `json:"-"`
	// Active people may sign in and are paged. Nobody is ever deleted.
	Active bool
	// DeactivatedAt is since when the person is not active; nil for an active one.
	DeactivatedAt *time.Time
	// HidePhone keeps the person's telephone numbers from colleagues.
	HidePhone bool
	// SessionEpoch is incremented to end all sessions of the person.
	SessionEpoch int64
	CreatedAt    time.Time
}

// Actor is the person as the one who acts.
func (u *User) Actor() Actor {
	return Actor{Kind: Person, UserID: u.ID, Email: u.Email, Name: u.Name, Role: u.Role}
}

// Profile is what describes a person.
type Profile struct {
	Email    string
	Name     string
	Role     Role
	Timezone string
}

// Check returns the profile as it is kept, or a fault that names every wrong
// field.
func (p Profile) Check() (Profile, error) {
	var wrong []fault.Field
	email, err := NormalizeEmail(p.Email)
	wrong = append(wrong, fields(err)...)
	_, err = ParseRole(string(p.Role))
	wrong = append(wrong, fields(err)...)
	name, err := checkName(p.Name)
	wrong = append(wrong, fields(err)...)
	wrong = append(wrong, fields(checkTimezone(p.Timezone))...)
	if len(wrong) > 0 {
		return Profile{}, fault.Invalid("%s", wrong[0].Message).With(wrong...)
	}
	p.Email, p.Name = email, name
	return p, nil
}

// maxEmail is the maximum length of an address in SMTP (RFC 5321, section 4.5.3.1).
const maxEmail = 254

// NormalizeEmail returns an address as it is kept and compared: without
// surrounding space, in lower case.
func NormalizeEmail(address string) (string, error) {
	valid := utf8.ValidString(address)
	address = strings.ToLower(strings.TrimSpace(address))
	parsed, err := mail.ParseAddress(address)
	if !valid || err != nil || parsed.Address != address || len(address) > maxEmail {
		return "", fieldFault("email", "Enter an email address such as ana@example.com.")
	}
	return address, nil
}

const maxName = 100

func checkName(name string) (string, error) {
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return "", fieldFault("name", "Enter a name.")
	case utf8.RuneCountInString(name) > maxName:
		return "", fieldFault("name", "A name has at most 100 characters.")
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return "", fieldFault("name", "A name is one line of text.")
	}
	return name, nil
}

func checkTimezone(zone string) error {
	if zone == "" {
		return nil
	}
	// LoadLocation accepts "Local" too, which differs between machines.
	if _, err := time.LoadLocation(zone); err != nil || zone == "Local" {
		return fieldFault("timezone", "Enter a time zone such as Europe/Berlin.")
	}
	return nil
}

func fieldFault(path, message string) *fault.Error {
	return fault.Invalid("%s", message).With(fault.Field{Path: path, Message: message})
}

func fields(err error) []fault.Field {
	if f, ok := errors.AsType[*fault.Error](err); ok && f != nil {
		return f.Fields
	}
	return nil
}
