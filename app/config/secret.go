package config

import (
	"fmt"
	"log/slog"
)

// Secret is a value that shows itself to nobody but the code that asks for it
// by name. Whatever prints it, as itself or deep inside something else, shows
// whether there is one and no more.
type Secret struct {
	// value is a pointer since fmt prints the fields of an unexported field
	// without asking them: all it then finds is an address.
	value *string
}

// masked stands for any secret, however long.
const masked = "[secret]"

// NewSecret hides a value. An empty one is no secret at all.
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

// Equal reports whether two secrets have the same value. It is for tests and
// takes longer the more they agree.
func (s Secret) Equal(other Secret) bool { return s.Reveal() == other.Reveal() }

// String is "[secret]", or empty where there is none.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return masked
}

// Format does for every verb what String does.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// LogValue keeps the value out of logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText keeps the value out of JSON, YAML and the like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
