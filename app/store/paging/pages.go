package paging

import (
	"context"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// pageRow is a page as it is inserted.
type pageRow struct {
	incident, escalation, user int64
	service                    int64 // the incident's, for the planner
	step, run, priority        int
	urgency                    string
	shadow, digest             bool
	why                        string
	at                         time.Time
	// rule is the planner's next rule and notifyAt when it is due.
	rule     int
	notifyAt *time.Time
}

func newPageRow(c *escalation.Change, p escalation.Page, now time.Time) pageRow {
	return pageRow{
		incident: c.Incident, escalation: c.ID, user: p.UserID, service: c.ServiceID, step: c.State.Step, run: c.State.Run,
		priority: incident.PageRank(c.Priority), urgency: string(c.Urgency), shadow: p.Shadow, digest: p.Digest, why: string(p.Why), at: now, notifyAt: &now,
	}
}

func insertPages(ctx context.Context, tx *db.Tx, pages []pageRow) error {
	if err := tx.InsertRows(ctx, "pages", len(pages), "", pageColumns(pages)...); err != nil {
		return fmt.Errorf("insert pages: %w", err)
	}
	return nil
}

func pageColumns(pages []pageRow) []db.Column {
	return []db.Column{
		db.ColOf("incident_number", "bigint", pages, func(p *pageRow) int64 { return p.incident }),
		db.ColOf("escalation_id", "bigint", pages, func(p *pageRow) int64 { return p.escalation }),
		db.ColOf("user_id", "bigint", pages, func(p *pageRow) int64 { return p.user }),
		db.ColOf("step", "int", pages, func(p *pageRow) int { return p.step }),
		db.ColOf("run", "int", pages, func(p *pageRow) int { return p.run }),
		db.ColOf("urgency", "text", pages, func(p *pageRow) string { return p.urgency }),
		db.ColOf("priority", "int", pages, func(p *pageRow) int { return p.priority }),
		db.ColOf("shadow", "bool", pages, func(p *pageRow) bool { return p.shadow }),
		db.ColOf("digest", "bool", pages, func(p *pageRow) bool { return p.digest }),
		db.ColOf("why", "text", pages, func(p *pageRow) string { return p.why }),
		db.ColOf("state", "text", pages, func(*pageRow) string { return Active }),
		db.ColOf("rule", "int", pages, func(p *pageRow) int { return p.rule }),
		db.ColOf("notify_at", "timestamptz", pages, func(p *pageRow) *time.Time { return p.notifyAt }),
		db.ColOf("created_at", "timestamptz", pages, func(p *pageRow) time.Time { return p.at }),
	}
}
