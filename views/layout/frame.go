// Package layout is what surrounds every page: head, navigation, banners, the
// message about what was just done, and the help for the keyboard.
package layout

import (
	"time"

	"github.com/tocsin-oncall/tocsin/views/element"
)

// Frame is what every page of a signed-in person carries.
type Frame struct {
	// Title is the page's, without the product's name.
	Title string
	// Section is the entry of the navigation that is current.
	Section Section
	User    User
	Banners []Banner
	Flash   *Flash
	Clock   element.Clock
	// Mark says what the page has heard of: what happened later is told to it by
	// the live stream. Empty makes the page look again by itself.
	Mark string
	// Elsewhere is the zone of the page's own times, where it is not the reader's.
	Elsewhere string
}

// Section is an entry of the navigation.
type Section string

// The sections.
const (
	Incidents    Section = "incidents"
	OnCall       Section = "oncall"
	Services     Section = "services"
	Teams        Section = "teams"
	Policies     Section = "policies"
	Integrations Section = "integrations"
	People       Section = "people"
	Account      Section = "account"
	Start        Section = "start"
)

// User is who is signed in. The zero User is nobody: then there is neither
// navigation nor account.
type User struct {
	Person element.Person
	Role   string // "stakeholder", "responder", "manager", "administrator"
	// OnCall is whether the person is on call now, in any position, and
	// OnCallUntil until when; zero where no end is in sight.
	OnCall      bool
	OnCallUntil time.Time
	// Unanswered is how many incidents wait for somebody, for the navigation.
	Unanswered int
	// Sees opens sections of the navigation; On call is open to all.
	Sees Sees
}

// Sees says which sections a person may see.
type Sees struct {
	Incidents bool // ViewIncidents
	Catalog   bool // ViewCatalog: services, teams
	Technical bool // ViewIntegrations, ViewSchedules, ViewPolicies
	People    bool // ViewPeople
	// Start keeps Getting started in the navigation until the first run is
	// through.
	Start bool
}

// Banner says something that holds until it is mended, above every page.
type Banner struct {
	Kind BannerKind
	Text string
	Link element.Link // optional
}

// BannerKind is how much a banner matters.
type BannerKind string

// The kinds of banner.
const (
	Notice  BannerKind = "notice"
	Warning BannerKind = "warning"
	Failing BannerKind = "failing"
)

// Flash says, once, what was just done. It is announced to screen readers.
type Flash struct {
	Text string
	// Failed marks what could not be done.
	Failed bool
	// Undo, where not empty, is the address to post to that takes it back.
	Undo      string
	UndoLabel string
	// Later, where not empty, is the address to post to once Undo has lapsed,
	// ten seconds after the message was shown.
	Later, LaterLabel string
}
