package auth

import (
	"context"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
)

const (
	// SessionLifetime is the maximum lifetime of a session. It ends at noon in the
	// person's time zone, so that nobody is signed out during a page at night.
	SessionLifetime = 90 * 24 * time.Hour
	// SessionIdle ends a session that was not used for so long: longer than the time
	// between two shifts of a rotation of four weeks or of six people who take a week
	// each, so that a page finds its person signed in. A password change and a
	// deactivation end sessions at once.
	SessionIdle = 42 * 24 * time.Hour
	// sessionTouch is how often a session's use is recorded, so that not every request
	// writes.
	sessionTouch = 24 * time.Hour

	// SessionCookie is the cookie's name.
	SessionCookie = "tocsin_session"
)

// The values of a session.
const (
	sessionUser  = "user"
	sessionEpoch = "epoch"
	sessionSeen  = "seen" // Unix seconds
)

// Sessions are the sessions of browsers. The embedded manager has the middleware
// (LoadAndSave) and flash messages (Put, PopString). Only a hash of a session's token
// is stored.
//
// Sessions use the system clock, like the browser that stores the cookie.
type Sessions struct {
	*scs.SessionManager
	now func() time.Time
}

// NewSessions keeps sessions in a store. Secure says that the public address
// is https. The web package puts an ErrorFunc of its own in place.
func NewSessions(store scs.CtxStore, secure bool, now func() time.Time) *Sessions {
	// scs.New would start a store in memory with a goroutine that never ends.
	m := &scs.SessionManager{
		Store:            store,
		Lifetime:         SessionLifetime,
		Codec:            scs.GobCodec{},
		HashTokenInStore: true,
		ErrorFunc: func(w http.ResponseWriter, _ *http.Request, _ error) {
			http.Error(w, "Your session cannot be read right now. Try again soon.", http.StatusServiceUnavailable)
		},
		Cookie: scs.SessionCookie{
			Name:     SessionCookie,
			Path:     "/",
			HttpOnly: true,
			SameSite: http.SameSiteLaxMode,
			Secure:   secure,
			Persist:  true,
		},
	}
	return &Sessions{SessionManager: m, now: now}
}

// begin signs a person in, under a new token (against session fixation).
func (s *Sessions) begin(ctx context.Context, u *User) error {
	if err := s.Clear(ctx); err != nil {
		return err
	}
	if err := s.RenewToken(ctx); err != nil {
		return err
	}
	now := s.now()
	s.SetDeadline(ctx, sessionEnd(now, u.Timezone))
	s.Put(ctx, sessionUser, u.ID)
	s.Put(ctx, sessionEpoch, u.SessionEpoch)
	s.Put(ctx, sessionSeen, now.Unix())
	return nil
}

// Begun reports whether the session of ctx is one that a sign-in began.
func (s *Sessions) Begun(ctx context.Context) bool { return s.Exists(ctx, sessionUser) }

// current tells who the session belongs to; ok is false where nobody is signed
// in, or was not seen for SessionIdle.
func (s *Sessions) current(ctx context.Context) (userID, epoch int64, ok bool) {
	userID, ok = s.Get(ctx, sessionUser).(int64)
	if !ok {
		return 0, 0, false
	}
	now, seen := s.now(), time.Unix(s.GetInt64(ctx, sessionSeen), 0)
	switch idle := now.Sub(seen); {
	case idle >= SessionIdle:
		return 0, 0, false
	case idle >= sessionTouch:
		s.Put(ctx, sessionSeen, now.Unix())
	}
	return userID, s.GetInt64(ctx, sessionEpoch), true
}

// sessionEnd is the last noon within the lifetime, in the zone; UTC where the
// zone is empty.
func sessionEnd(now time.Time, zone string) time.Time {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc = time.UTC
	}
	last := now.Add(SessionLifetime).In(loc)
	noon := time.Date(last.Year(), last.Month(), last.Day(), 12, 0, 0, 0, loc)
	if noon.After(last) {
		noon = time.Date(last.Year(), last.Month(), last.Day()-1, 12, 0, 0, 0, loc)
	}
	return noon
}
