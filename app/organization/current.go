package organization

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// Loader reads the configuration.
type Loader interface {
	// Versions are those of the configuration as it is now. They are asked for
	// often.
	Versions(ctx context.Context) (Versions, error)
	// Load reads all of it, as it was at one instant, but the History and the keys
	// of integrations.
	Load(ctx context.Context) (*State, error)
}

// Current keeps one view of the configuration, and reads another when somebody
// needs a later one. It implements escalation.Directory, notify.People and
// ingest.Config.
type Current struct {
	loader  Loader
	works   func(notify.Medium) bool
	log     *slog.Logger
	view    atomic.Pointer[View]
	loading chan struct{} // holds a token while nobody loads
}

var (
	_ escalation.Directory = (*Current)(nil)
	_ notify.People        = (*Current)(nil)
)

// NewCurrent reads nothing yet. works tells which media have a channel that works.
func NewCurrent(loader Loader, works func(notify.Medium) bool, log *slog.Logger) *Current {
	c := &Current{loader: loader, works: works, log: log, loading: make(chan struct{}, 1)}
	c.loading <- struct{}{}
	return c
}

// View is the configuration as of now: reading its versions costs a query, the
// rest is read again only where they have changed.
func (c *Current) View(ctx context.Context) (*View, error) {
	versions, err := c.loader.Versions(ctx)
	if err != nil {
		return nil, err
	}
	return c.AtLeast(ctx, versions.Revision())
}

// Kept is the view at hand, which may be old; nil before the first was read.
func (c *Current) Kept() *View { return c.view.Load() }

// AtLeast is a view of a revision or a later one. Of several callers that need
// another view than the one at hand, one reads it for all.
func (c *Current) AtLeast(ctx context.Context, revision int64) (*View, error) {
	if v := c.view.Load(); v != nil && v.Versions().Revision() >= revision {
		return v, nil
	}
	select {
	case <-c.loading:
		defer func() { c.loading <- struct{}{} }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if v := c.view.Load(); v != nil && v.Versions().Revision() >= revision {
		return v, nil
	}
	state, err := c.loader.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the configuration: %w", err)
	}
	return c.keep(ctx, state), nil
}

// keep makes a view of a state and keeps it. What contacts do not change, such as
// compiled dedup rules, is taken from the view before.
func (c *Current) keep(ctx context.Context, state *State) *View {
	before, v := c.view.Load(), NewView(state, c.works)
	if before != nil && before.Versions().Config == state.Versions().Config {
		v.catalog, v.routes = before.catalog, before.routes
	}
	for _, u := range state.Unreadable {
		if before == nil || !slices.ContainsFunc(before.Unreadable, func(b Unreadable) bool { return b.Table == u.Table && b.ID == u.ID }) {
			c.log.ErrorContext(ctx, "configuration row unreadable, left out", "table", u.Table, "id", u.ID, "error", u.Err)
		}
	}
	c.view.Store(v)
	return v
}

// Roster implements escalation.Directory. The version is a revision.
func (c *Current) Roster(ctx context.Context, revision int64) (*escalation.Roster, error) {
	v, err := c.AtLeast(ctx, revision)
	if err != nil {
		return nil, err
	}
	return v.Roster(), nil
}

// Policy implements escalation.Directory.
func (c *Current) Policy(ctx context.Context, versionID int64) (escalation.NamedPolicy, error) {
	if v := c.view.Load(); v != nil {
		if _, known := v.versions[versionID]; known {
			return v.PolicyVersion(versionID)
		}
	}
	v, err := c.View(ctx)
	if err != nil {
		return escalation.NamedPolicy{}, err
	}
	return v.PolicyVersion(versionID)
}

// Recipients implements notify.People. The version is a revision; 0 asks for the
// configuration as of now.
func (c *Current) Recipients(ctx context.Context, revision int64) (map[int64]notify.Recipient, error) {
	view := c.AtLeast
	if revision == 0 {
		view = func(ctx context.Context, _ int64) (*View, error) { return c.View(ctx) }
	}
	v, err := view(ctx, revision)
	if err != nil {
		return nil, err
	}
	return v.Recipients(), nil
}

// Opens is for notify.Planner. The version is a revision.
func (c *Current) Opens(ctx context.Context, revision, service int64, at time.Time) (time.Time, error) {
	roster, err := c.Roster(ctx, revision)
	if err != nil {
		return time.Time{}, err
	}
	return roster.Opens(service, at), nil
}

// Snapshot implements ingest.Config: that of the view at hand, which may be old.
// The writer finds out.
func (c *Current) Snapshot(ctx context.Context) (*catalog.Snapshot, error) {
	if v := c.view.Load(); v != nil {
		return v.Catalog(), nil
	}
	return c.Reload(ctx)
}

// Reload implements ingest.Config.
func (c *Current) Reload(ctx context.Context) (*catalog.Snapshot, error) {
	v, err := c.View(ctx)
	if err != nil {
		return nil, err
	}
	return v.Catalog(), nil
}
