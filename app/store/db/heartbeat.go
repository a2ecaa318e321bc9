package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// heartbeat is a row of heartbeats.
type heartbeat struct {
	Name      string `gorm:"primaryKey"`
	WrittenAt time.Time
}

// Serving is the name of the heartbeat of servers.
const Serving = "serve"

// heartbeatTimeout bounds a Heartbeat.
const heartbeatTimeout = 2 * time.Second

// Heartbeat writes the row of a name, to see whether the database can be written to.
func (db *DB) Heartbeat(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, heartbeatTimeout)
	defer cancel()
	row := heartbeat{Name: name, WrittenAt: db.Now()}
	if err := db.GormWrite(ctx).Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error; err != nil {
		return fmt.Errorf("write a heartbeat: %w", err)
	}
	return nil
}

// LastHeartbeat is when a server last wrote one, by the clock that due times are
// compared with; zero where none has.
func (db *DB) LastHeartbeat(ctx context.Context) (time.Time, error) {
	var row heartbeat
	err := db.GormRead(ctx).Where("name = ?", Serving).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("read the last heartbeat: %w", err)
	}
	return row.WrittenAt.UTC(), nil
}

// ResumeClock continues the clock where the last heartbeat was, so that a clock that
// was set back while no server ran delays nothing. The schema has to be current.
func (db *DB) ResumeClock(ctx context.Context) error {
	if db.Clock.Fixed != nil {
		return nil
	}
	last, err := db.LastHeartbeat(ctx)
	if err != nil || last.IsZero() {
		return err
	}
	db.Clock.resume(last, time.Now())
	return nil
}

// resume continues from an instant that was seen before, unless the clock has passed
// it.
func (c *clock) resume(seen, own time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if behind := seen.UnixNano() - (own.UnixNano() + c.skew.Load()); behind > 0 && seen.UnixNano() > c.last {
		c.last, c.own = seen.UnixNano(), own
	}
}
