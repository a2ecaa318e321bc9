package page

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
)

// Pending is a form that was sent without a session, mostly since that had ended. The
// server stores nothing: the form waits, sealed, in the sign-in page, and is sent again
// by the person who has signed in, with their permissions.
type Pending struct {
	// Sealed is the value of the hidden field; empty where the form is not kept, since
	// it holds a password or is too large.
	Sealed string
	Words  PendingWords
	// Next is the page to go to without sending it.
	Next string
	// Path is what the form is sent to, and Fields what it has. Both are from the seal,
	// or empty.
	Path   string
	Fields url.Values
	// UserID is who was signed in; 0 where that is not known.
	UserID int64
	// Repeatable forms may be sent for the same person without another question.
	Repeatable bool
}

const (
	// maxPending bounds the form that waits for a sign-in, in bytes: more than the
	// longest note.
	maxPending = 128 << 10
	// pendingLasts is how long it waits.
	pendingLasts = time.Hour
)

// sealedForm is what the hidden field holds.
type sealedForm struct {
	Path, Route string
	Fields      url.Values
	Next        string
	UserID      int64 `json:",omitempty"`
	Expires     int64 // Unix seconds
}

// secretFields are never sent back to a browser. A form that has one is not kept.
var secretFields = []string{"password", "current", "auth-token", "bot-token", "code"}

func (p *Pages) pendingForm(c echo.Context) Pending {
	r := c.Request()
	f := sealedForm{Path: r.URL.Path, Route: c.Path(), Fields: r.PostForm, Next: pendingNext(r), UserID: p.router.Auth.LastSignedIn(r.Context()),
		Expires: p.Now().Add(pendingLasts).Unix()}
	pending := p.opened(f)
	for name := range f.Fields {
		if slices.Contains(secretFields, name) {
			return pending
		}
	}
	if len(f.Fields.Encode()) > maxPending {
		return pending
	}
	content, err := json.Marshal(f)
	if err != nil {
		return pending
	}
	pending.Sealed = p.deps.Keys.SealForm(auth.PendingForm, content)
	return pending
}

// pendingNext is the page that the form was on.
func pendingNext(r *http.Request) string {
	if from, err := url.Parse(r.Referer()); err == nil {
		if next := LocalAddress(from.RequestURI()); next != "/" {
			return next
		}
	}
	return "/"
}

// OpenPending reads the hidden field of a sign-in page. A fault of kind gone says that
// it was changed or has expired.
func (p *Pages) OpenPending(sealed string) (Pending, error) {
	gone := fault.Gone("What you sent before you signed in is too old to be sent again. Nothing of it was done.")
	content, err := p.deps.Keys.OpenForm(auth.PendingForm, sealed)
	if err != nil {
		return Pending{}, gone
	}
	var f sealedForm
	if err := json.Unmarshal(content, &f); err != nil || p.Now().Unix() >= f.Expires {
		return Pending{}, gone
	}
	pending := p.opened(f)
	pending.Sealed = sealed
	return pending, nil
}

func (p *Pages) opened(f sealedForm) Pending {
	return Pending{Words: wordsOf(f), Next: f.Next, Path: f.Path, Fields: f.Fields, UserID: f.UserID,
		Repeatable: strings.HasPrefix(f.Route, incidentRoute) && strings.TrimPrefix(f.Route, incidentRoute) == "acknowledge"}
}
