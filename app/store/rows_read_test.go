package store

import (
	"fmt"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

// TestRowsReadDoNotGrow takes one incident through its life beside thousands of
// others: with plans that were made while the tables were almost empty, and with
// plans by statistics of full ones. Each statement has to find its rows by an index.
func TestRowsReadDoNotGrow(t *testing.T) {
	for name, full := range map[string]bool{"plans from the beginning": false, "statistics of many rows": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st, err := Open(t.Context(), newPostgres(t)+"&plan_cache_mode=force_generic_plan", Options{MaxConns: 1})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = st.Close() })
			p := newPipeline(t, st)
			p.life("first")
			p.storm(3000)
			p.settle()
			if full {
				p.exec("ANALYZE")
			}
			before := p.rowsRead()
			p.life("third")
			for table, n := range p.rowsRead() {
				if n -= before[table]; n > 300 {
					t.Errorf("%d rows of %s were read", n, table)
				}
			}
		})
	}
}

// life opens, answers, escalates, resolves and reopens an incident.
func (p *pipeline) life(key string) {
	p.t.Helper()
	number := p.write(p.signal(key))[0].Number
	p.settle()
	for _, act := range []incident.Act{
		incident.ActAcknowledge{}, incident.ActUnacknowledge{}, incident.ActEscalate{}, incident.ActResolve{}, incident.ActReopen{},
	} {
		out, err := p.actions.Do(p.t.Context(), incident.Command{Number: number, By: incident.By{Actor: "token:x", Via: "api"}, Act: act})
		if err == nil {
			err = out.Err()
		}
		if err != nil {
			p.t.Fatalf("%T: %v", act, err)
		}
		p.settle()
	}
	p.write(p.signal(key), p.signal(key, resolve))
	p.settle()
}

// rowsRead are the rows that have been read so far, by table. It needs a store of
// one connection, whose counts it publishes.
func (p *pipeline) rowsRead() map[string]int64 {
	p.t.Helper()
	p.exec("SELECT pg_stat_force_next_flush()")
	rows, err := p.db.Read.QueryContext(p.t.Context(), "SELECT relname, seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables")
	if err != nil {
		p.t.Fatal(err)
	}
	defer rows.Close()
	read := map[string]int64{}
	for rows.Next() {
		var table string
		var n int64
		if err := rows.Scan(&table, &n); err != nil {
			p.t.Fatal(err)
		}
		read[table] = n
	}
	if err := rows.Err(); err != nil {
		p.t.Fatal(err)
	}
	if fmt.Sprint(read["incidents"]) == "0" {
		p.t.Fatal("the counts of rows are empty")
	}
	return read
}
