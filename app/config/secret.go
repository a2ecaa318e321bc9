package config

import (
	"fmt"
	"log/slog"
)

// Secret is a value that is only shown by Reveal. When it is printed, also as part of
// another value, only its presence is shown.
type Secret struct {
	// value is a pointer since fmt does not call the methods of unexported fields: then
	// it prints an address.
	value *string
}

// masked replaces any secret, whatever its length.
const masked = "[secret]"

// NewSecret makes a secret; of an empty value, the zero Secret.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{value: &value}
}

// Reveal is the value itself, for the call that needs it.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.value == nil }

// Equal reports whether two secrets have the same value. It is for tests, since it does
// not run in constant time.
func (s Secret) Equal(other Secret) bool { return s.Reveal() == other.Reveal() }

// String is "[secret]", or empty where there is none.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return masked
}

// Format prints String for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// LogValue keeps the value out of logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText keeps the value out of JSON, YAML and the like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
