package server

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store"
)

// directory keeps pictures of the configuration, each with the version that it
// was read at. Whoever asks says which version it must have at least.
type directory struct {
	db    *store.Store
	works func(notify.Medium) bool

	reading  sync.Mutex
	roster   atomic.Pointer[escalation.Roster]
	people   atomic.Pointer[people]
	snapshot atomic.Pointer[catalog.Snapshot]
	policies sync.Map // version id → escalation.NamedPolicy, which never changes
}

type people struct {
	version int64
	byID    map[int64]notify.Recipient
}

// Roster implements escalation.Directory.
func (d *directory) Roster(ctx context.Context, version int64) (*escalation.Roster, error) {
	if r := d.roster.Load(); r != nil && r.Version >= version {
		return r, nil
	}
	d.reading.Lock()
	defer d.reading.Unlock()
	if r := d.roster.Load(); r != nil && r.Version >= version {
		return r, nil
	}
	r, err := d.db.Organization.Roster(ctx, d.works)
	if err != nil {
		return nil, fmt.Errorf("read who stands behind targets: %w", err)
	}
	d.roster.Store(r)
	return r, nil
}

// Policy implements escalation.Directory.
func (d *directory) Policy(ctx context.Context, versionID int64) (escalation.NamedPolicy, error) {
	if p, ok := d.policies.Load(versionID); ok {
		return p.(escalation.NamedPolicy), nil
	}
	p, err := d.db.Organization.PolicyVersion(ctx, versionID)
	if err != nil {
		return escalation.NamedPolicy{}, err
	}
	d.policies.Store(versionID, p)
	return p, nil
}

// Recipients implements notify.People. Version 0 takes the present one.
func (d *directory) Recipients(ctx context.Context, version int64) (map[int64]notify.Recipient, error) {
	if version == 0 {
		var err error
		if version, err = d.db.ConfigVersion(ctx); err != nil {
			return nil, err
		}
	}
	if p := d.people.Load(); p != nil && p.version >= version {
		return p.byID, nil
	}
	byID, err := d.db.Organization.Recipients(ctx)
	if err != nil {
		return nil, fmt.Errorf("read contact methods: %w", err)
	}
	d.people.Store(&people{version, byID})
	return byID, nil
}

// Snapshot implements ingest.Config: the picture at hand, which may be old. The
// writer finds out.
func (d *directory) Snapshot(ctx context.Context) (*catalog.Snapshot, error) {
	if s := d.snapshot.Load(); s != nil {
		return s, nil
	}
	return d.Reload(ctx)
}

// Reload implements ingest.Config.
func (d *directory) Reload(ctx context.Context) (*catalog.Snapshot, error) {
	version, err := d.db.ConfigVersion(ctx)
	if err != nil {
		return nil, err
	}
	if s := d.snapshot.Load(); s != nil && s.Version() >= version {
		return s, nil
	}
	s, err := d.db.Organization.Snapshot(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the catalog: %w", err)
	}
	d.snapshot.Store(s)
	return s, nil
}
