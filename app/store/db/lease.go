package db

import (
	"fmt"
	"time"
)

// Lease is how long claimed work is this process's without a renewal.
const Lease = 3 * time.Second

// Unleased is the condition that a row's lease has ended or that it has none, by the
// clock of leases. next is the number of a further parameter, should one be needed.
func (db *DB) Unleased(next int, args ...any) (string, []any) {
	if db.Dialect == Postgres {
		return "(lease_until IS NULL OR lease_until < clock_timestamp())", args
	}
	return fmt.Sprintf("(lease_until IS NULL OR lease_until < $%d)", next), append(args, LeaseClock())
}

// LeaseClock is the clock of leases on SQLite: UTC, to the microsecond. On PostgreSQL
// the database's is. A test's clock never replaces it.
func LeaseClock() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// LeaseEnd is when a lease taken now ends, by the clock of leases, as SQL. next
// is the number of a further parameter, should one be needed.
func (db *DB) LeaseEnd(next int, args ...any) (string, []any) {
	if db.Dialect == Postgres {
		return fmt.Sprintf("clock_timestamp() + interval '%d milliseconds'", Lease.Milliseconds()), args
	}
	return fmt.Sprintf("$%d", next), append(args, LeaseClock().Add(Lease))
}
