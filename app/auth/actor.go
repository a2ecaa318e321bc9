package auth

// ActorKind is what sort of thing acts.
type ActorKind string

// The kinds of actors.
const (
	Person      ActorKind = "person"
	ByToken     ActorKind = "token"
	Integration ActorKind = "integration"
	Itself      ActorKind = "tocsin"
)

// Actor is the author of an action. The zero value is nobody.
type Actor struct {
	Kind   ActorKind
	UserID int64  // of a person, else 0
	Email  string // of a person, else empty
	Name   string // of the person, the token or the integration
	// Role is a person's role or a token's scope.
	Role Role
}

// Tocsin is the actor of automatic actions, and of commands that are run on the server.
var Tocsin = Actor{Kind: Itself, Name: "Tocsin", Role: Administrator}

// IntegrationActor is the actor of changes by a signal.
func IntegrationActor(name string) Actor { return Actor{Kind: Integration, Name: name} }

// String names the actor in records: a person's email address, "token:NAME",
// "integration:NAME" or "tocsin". Nobody is the empty string.
func (a Actor) String() string {
	switch a.Kind {
	case Person:
		return a.Email
	case ByToken, Integration:
		return string(a.Kind) + ":" + a.Name
	case Itself:
		return "tocsin"
	}
	return ""
}
