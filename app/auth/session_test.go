package auth

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// memory keeps sessions in a map.
type memory map[string][]byte

func (m memory) FindCtx(_ context.Context, token string) ([]byte, bool, error) {
	data, ok := m[token]
	return data, ok, nil
}

func (m memory) CommitCtx(_ context.Context, token string, data []byte, _ time.Time) error {
	m[token] = data
	return nil
}

func (m memory) DeleteCtx(_ context.Context, token string) error {
	delete(m, token)
	return nil
}

func (m memory) Find(token string) ([]byte, bool, error) {
	return m.FindCtx(context.Background(), token)
}
func (m memory) Delete(token string) error { return m.DeleteCtx(context.Background(), token) }
func (m memory) Commit(token string, data []byte, expiry time.Time) error {
	return m.CommitCtx(context.Background(), token, data, expiry)
}

// browser keeps one cookie.
type browser struct {
	sessions *Sessions
	cookie   *http.Cookie
}

// visit makes one request, within whose session f runs, and reports whether
// the answer set the cookie.
func (b *browser) visit(f func(ctx context.Context)) bool {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if b.cookie != nil {
		r.AddCookie(b.cookie)
	}
	w := httptest.NewRecorder()
	b.sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f(r.Context())
		w.WriteHeader(http.StatusOK)
	})).ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		b.cookie = c
		return true
	}
	return false
}

func (b *browser) signIn(t *testing.T, u *User) {
	t.Helper()
	b.visit(func(ctx context.Context) {
		if err := b.sessions.begin(ctx, u); err != nil {
			t.Fatal(err)
		}
	})
}

func (b *browser) is(userID int64) (is bool) {
	b.visit(func(ctx context.Context) {
		id, _, ok := b.sessions.current(ctx)
		is = ok && id == userID
	})
	return is
}

func TestSessionCookie(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{true, false} {
		b := &browser{sessions: NewSessions(memory{}, secure, time.Now)}
		b.signIn(t, &User{ID: 7})
		c := b.cookie
		if c.Name != "tocsin_session" || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure != secure || c.Path != "/" || c.Domain != "" {
			t.Errorf("with secure %v the cookie is %s", secure, c)
		}
	}
}

func TestSignInRotatesSession(t *testing.T) {
	t.Parallel()
	store := memory{}
	b := &browser{sessions: NewSessions(store, true, time.Now)}
	b.visit(func(ctx context.Context) { b.sessions.Put(ctx, "planted", true) })
	planted := b.cookie
	b.signIn(t, &User{ID: 7, SessionEpoch: 3})
	if b.cookie.Value == planted.Value {
		t.Error("the session keeps its token through sign-in")
	}
	if !b.is(7) {
		t.Error("not signed in")
	}
	b.visit(func(ctx context.Context) {
		if _, epoch, _ := b.sessions.current(ctx); epoch != 3 || b.sessions.Exists(ctx, "planted") {
			t.Errorf("epoch %d, planted value kept: %v", epoch, b.sessions.Exists(ctx, "planted"))
		}
	})
	if before := (&browser{sessions: b.sessions, cookie: planted}); before.is(7) || len(store) != 1 {
		t.Errorf("the token from before still works, or its session is kept (%d sessions)", len(store))
	}
	if _, ok := store[b.cookie.Value]; ok {
		t.Error("the token itself is stored")
	}
}

func TestSignOutEndsSession(t *testing.T) {
	t.Parallel()
	store := memory{}
	b := &browser{sessions: NewSessions(store, true, time.Now)}
	b.signIn(t, &User{ID: 7})
	stolen := &browser{sessions: b.sessions, cookie: b.cookie}
	b.visit(func(ctx context.Context) {
		if err := b.sessions.Destroy(ctx); err != nil {
			t.Error(err)
		}
	})
	if b.cookie.MaxAge >= 0 || len(store) != 0 || stolen.is(7) {
		t.Errorf("after signing out: cookie %s, %d sessions kept", b.cookie, len(store))
	}
}

func TestSessionLifetime(t *testing.T) {
	t.Parallel()
	now := noon
	b := &browser{sessions: NewSessions(memory{}, true, func() time.Time { return now })}
	b.signIn(t, &User{ID: 7, Timezone: "Europe/Berlin"})
	if b.visit(func(ctx context.Context) { b.sessions.current(ctx) }) {
		t.Error("a visit a moment later writes the session again")
	}
	end := sessionEnd(now, "Europe/Berlin")
	for ; now.Before(end); now = now.Add(time.Hour) {
		if !b.is(7) {
			t.Fatalf("signed out at %s, before %s", now, end)
		}
	}
	// Beyond that the store, and the browser, know it no more. A cookie's
	// expiry has whole seconds and is rounded up.
	if late := b.cookie.Expires.Sub(end); late < 0 || late > time.Second {
		t.Errorf("the cookie ends %s after the session", late)
	}
}

func TestIdleSessionEnds(t *testing.T) {
	t.Parallel()
	now := noon
	b := &browser{sessions: NewSessions(memory{}, true, func() time.Time { return now })}
	b.signIn(t, &User{ID: 7})
	now = now.Add(SessionIdle - time.Second)
	if !b.is(7) {
		t.Fatal("ended too early")
	}
	now = now.Add(SessionIdle - time.Second)
	if !b.is(7) {
		t.Fatal("the visit before did not count")
	}
	now = now.Add(SessionIdle)
	if b.is(7) {
		t.Error("still signed in")
	}
}

func TestSessionEndsAtNoon(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ now, zone, want string }{
		{"2026-11-23T03:12:00Z", "Europe/Berlin", "2027-02-20T12:00:00+01:00"},
		{"2026-11-23T15:00:00Z", "Europe/Berlin", "2027-02-21T12:00:00+01:00"},
		{"2026-11-23T15:00:00Z", "Pacific/Auckland", "2027-02-21T12:00:00+13:00"},
		{"2026-11-23T12:00:00Z", "", "2027-02-21T12:00:00Z"},
		{"2026-11-23T11:59:00Z", "Nowhere/Gone", "2027-02-20T12:00:00Z"},
	} {
		now, err := time.Parse(time.RFC3339, test.now)
		if err != nil {
			t.Fatal(err)
		}
		got := sessionEnd(now, test.zone)
		if got.Format(time.RFC3339) != test.want {
			t.Errorf("a sign-in at %s in %q ends at %s, want %s", test.now, test.zone, got.Format(time.RFC3339), test.want)
		}
	}
}

func TestUnreadableSessionIsError(t *testing.T) {
	t.Parallel()
	s := NewSessions(broken{}, true, time.Now)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(&http.Cookie{Name: SessionCookie, Value: "x"})
	w := httptest.NewRecorder()
	s.LoadAndSave(http.NotFoundHandler()).ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("answered %d %q, want 503 without the cause", w.Code, w.Body)
	}
}

type broken struct{ memory }

func (broken) FindCtx(context.Context, string) ([]byte, bool, error) {
	return nil, false, errors.New("secret cause")
}
