package store

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// poison puts into a column of times what no program can read as one, and into
// whichever row a condition picks.
func (p *pipeline) poison(table, column, where string, args ...any) {
	p.t.Helper()
	value := "'infinity'"
	if p.db.dialect == onSQLite {
		value = "'2026-11-23 at night'" // which compares as a time of that day
	}
	p.exec("UPDATE "+table+" SET "+column+" = "+value+" WHERE "+where, args...)
}

// told are the incidents that messages were about, each once.
func (p *pipeline) told(messages []notify.Message) []int64 {
	var numbers []int64
	for _, m := range messages {
		for _, s := range m.Subjects {
			if !slices.Contains(numbers, s.Number) {
				numbers = append(numbers, s.Number)
			}
		}
	}
	slices.Sort(numbers)
	return numbers
}

func TestAMessageThatCannotBeClaimedFallsOverAndHoldsUpNoOther(t *testing.T) {
	for name, spoil := range map[string]func(p *pipeline, first int64){
		"it cannot be read": func(p *pipeline, first int64) { p.poison("messages", "created_at", "id = $1", first) },
		"its attempt cannot be written": func(p *pipeline, first int64) {
			p.exec(`INSERT INTO attempts (message_id, number, state, again, again_next, provider_id, error, started_at)
				VALUES ($1, 1, 'failed', $2, $2, '', '', $3)`, first, false, p.now)
		},
	} {
		t.Run(name, func(t *testing.T) {
			forEachDatabase(t, func(t *testing.T, db *DB) {
				p := newPipeline(t, db)
				numbers := p.storm(3)
				p.planned()
				spoil(p, int64(p.count("SELECT min(id) FROM messages")))
				sent := p.settle()
				slices.SortFunc(sent, func(a, b notify.Message) int { return strings.Compare(b.To, a.To) })
				p.expect(sent, "sms-1", "sms-1", "email-1")
				if got := p.told(sent); !slices.Equal(got, numbers) {
					t.Errorf("people were told of %v, want %v", got, numbers)
				}
				records, err := db.IncidentPages(t.Context(), numbers[0])
				if err != nil {
					t.Fatal(err)
				}
				if name == "it cannot be read" && (records[0].State != incident.AttemptFailed || records[0].Error != brokenAlone) {
					t.Errorf("the timeline says: %+v", records[0])
				}
				if records[1].InsteadOf != "sms" {
					t.Errorf("the email is there for %q", records[1].InsteadOf)
				}
			})
		})
	}
}

func TestAnIncidentThatCannotBeReadLeavesABundleToTheOthers(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, db *DB) {
		p := newPipeline(t, db)
		p.storm(3) // from now on pages gather
		p.settle()
		numbers := p.storm(9)
		p.planned()
		p.poison("incidents", "created_at", "number = $1", numbers[4])
		sent := p.advance(time.Minute)
		if got, want := p.told(sent), slices.Concat(numbers[:4], numbers[5:]); !slices.Equal(got, want) {
			t.Errorf("people were told of %v, want %v", got, want)
		}
		if len(sent) > 4 {
			t.Errorf("it took %d messages", len(sent))
		}
		if n := p.count("SELECT count(*) FROM timeline_events WHERE kind = $1 AND incident_number = $2", string(incident.EvPassedOver), numbers[4]); n == 0 {
			t.Error("the steps of the incident that cannot be read were not passed over")
		}
		if n := p.count("SELECT count(*) FROM messages WHERE state IN ('queued', 'sending') AND due_at <= $1", p.now); n != 0 {
			t.Errorf("%d messages are still due", n)
		}
	})
}
