package notify

import (
	"context"
	"fmt"
	"time"
)

// OutageStore keeps the states of channels.
type OutageStore interface {
	// ChannelStates are those of the channels that have failed since their last
	// success.
	ChannelStates(ctx context.Context) ([]ChannelState, error)
	// TellOutage queues a notice about an outage to contact methods, each with its
	// text, and records that the administrators were told.
	TellOutage(ctx context.Context, m Medium, notices []OutageNotice, now time.Time) error
	// Recoveries are the ends of outages that the administrators were told of. They have
	// not been told of the ends.
	Recoveries(ctx context.Context) ([]Recovery, error)
	// TellRecovery queues the notices of a recovery and deletes it.
	TellRecovery(ctx context.Context, id int64, notices []OutageNotice, now time.Time) error
	// TellAgain has Outages.Tell called at an instant.
	TellAgain(ctx context.Context, at time.Time) error
}

// Recovery is the end of an outage.
type Recovery struct {
	ID     int64 `gorm:"primaryKey"`
	Medium Medium
	// BrokenSince is when the outage began, and EndedAt when it ended.
	BrokenSince, EndedAt time.Time
	How                  RecoveryHow
	// Released counts the messages that waited, that which found the channel working
	// among them.
	Released int64
}

// RecoveryHow is how an outage ended.
type RecoveryHow string

const (
	// Works is the success of a message.
	Works RecoveryHow = "works"
	// Untried is a change of the settings, or a start, while nothing waited that could be
	// tried.
	Untried RecoveryHow = "untried"
	// Removed is a channel that is not configured any more.
	Removed RecoveryHow = "removed"
)

// TableName implements gorm's Tabler.
func (Recovery) TableName() string { return "channel_recoveries" }

// OutageNotice is what one administrator is told.
type OutageNotice struct {
	To   ContactMethod
	Text string
}

// Outages tells the administrators of channels that do not work, and that they work
// again.
type Outages struct {
	Store  OutageStore
	People People
	// Administrators are the ids of those who are active.
	Administrators func(ctx context.Context) ([]int64, error)
	Works          func(Medium) bool
	Now            func() time.Time
}

// Tell tells the administrators of each outage, once it has lasted for TellAfter and
// then every TellEvery while it is news, by a method whose channel works; and of the
// end of each that they were told of.
func (o *Outages) Tell(ctx context.Context) error {
	states, err := o.Store.ChannelStates(ctx)
	if err != nil {
		return err
	}
	people, err := o.People.Recipients(ctx, 0)
	if err != nil {
		return err
	}
	administrators, err := o.Administrators(ctx)
	if err != nil {
		return err
	}
	recoveries, err := o.Store.Recoveries(ctx)
	if err != nil {
		return err
	}
	broken := Broken(states)
	now := o.Now()
	var next time.Time
	for _, r := range recoveries {
		notices := o.notices(r.text, people, administrators, broken)
		if len(notices) == 0 {
			next = now.Add(tellLater)
			continue
		}
		if err := o.Store.TellRecovery(ctx, r.ID, notices, now); err != nil {
			return err
		}
	}
	for _, s := range states {
		if s.BrokenSince == nil {
			continue
		}
		at := s.TellAt()
		if !at.After(now) {
			if at, err = o.tell(ctx, s, o.notices(s.text, people, administrators, broken), now); err != nil {
				return err
			}
		}
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	if next.IsZero() {
		return nil
	}
	return o.Store.TellAgain(ctx, next)
}

// tell queues the notices about an outage, and returns when to look again.
func (o *Outages) tell(ctx context.Context, s ChannelState, notices []OutageNotice, now time.Time) (again time.Time, err error) {
	switch {
	case !s.News():
		return now.Add(TellEvery), nil
	case len(notices) == 0:
		return now.Add(tellLater), nil
	}
	return now.Add(TellEvery), o.Store.TellOutage(ctx, s.Medium, notices, now)
}

// notices are the notices to those administrators who can be reached, with their text in
// a time zone.
func (o *Outages) notices(text func(zone string) string, people map[int64]Recipient, administrators []int64, broken map[Medium]bool) []OutageNotice {
	var all []OutageNotice
	for _, id := range administrators {
		r := people[id]
		working := r.Working(func(m Medium) bool { return o.Works(m) && !broken[m] })
		if len(working) > 0 {
			all = append(all, OutageNotice{To: working[0], Text: text(r.Zone)})
		}
	}
	return all
}

// text is the notice of an outage. Its first line is its heading.
func (s ChannelState) text(zone string) string {
	return s.Sentence(zone) + "\n" +
		"Messages by it wait, and pages go by people's other contact methods. Tocsin tries again all the time and sends what waits as soon as it works."
}

// text is the notice of a recovery. Its first line is its heading.
func (r Recovery) text(zone string) string {
	span := fmt.Sprintf("It had not worked from %s to %s.", minute(r.BrokenSince, zone), minute(r.EndedAt, zone))
	switch {
	case r.How == Removed:
		return fmt.Sprintf("%s is not set up any more.\nIt had not worked since %s. What waited for it goes by people's other contact methods.", r.Medium.Name(), minute(r.BrokenSince, zone))
	case r.How == Untried:
		return fmt.Sprintf("%s is used again.\nIt had not worked since %s. Its settings were changed or Tocsin was started, and no message waited: whether it works shows with the next one.", r.Medium.Name(), minute(r.BrokenSince, zone))
	case r.Released == 1:
		return fmt.Sprintf("%s works again.\n%s The message that waited has been sent.", r.Medium.Name(), span)
	case r.Released > 1:
		return fmt.Sprintf("%s works again.\n%s The %d messages that waited are being sent.", r.Medium.Name(), span, r.Released)
	}
	return fmt.Sprintf("%s works again.\n%s", r.Medium.Name(), span)
}
