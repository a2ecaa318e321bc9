package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// column is one column of many rows: how a batch travels. On PostgreSQL every
// column is one array parameter of one statement, whatever the number of rows,
// so that the statement stays prepared; on SQLite, where a call costs no round
// trip, the rows go one by one through a prepared statement.
type column struct {
	name   string
	pgType string
	values any           // a slice, for PostgreSQL
	at     func(int) any // its i-th element, for SQLite
	// literal stands for the whole column where it is empty in every row: half
	// of what a new incident has is not there yet, and need not travel.
	literal string
}

func col[T any](name, pgType string, values []T) column {
	c := column{name: name, pgType: pgType, values: values, at: func(i int) any { return values[i] }}
	switch v := any(values).(type) {
	case []*time.Time:
		c.literal = emptyColumn(v, nil, "NULL")
	case []*int64:
		c.literal = emptyColumn(v, nil, "NULL")
	case []*int:
		c.literal = emptyColumn(v, nil, "NULL")
	case []string:
		c.literal = emptyColumn(v, "", "''")
	case []bool:
		c.literal = emptyColumn(v, false, "false")
	}
	return c
}

// emptyColumn is the literal where every value is empty, else nothing.
func emptyColumn[T comparable](values []T, empty T, literal string) string {
	for _, v := range values {
		if v != empty {
			return ""
		}
	}
	return literal
}

// colOf is col over a field of some rows.
func colOf[R, T any](name, pgType string, rows []R, field func(*R) T) column {
	values := make([]T, len(rows))
	for i := range rows {
		values[i] = field(&rows[i])
	}
	return col(name, pgType, values)
}

// insertRows inserts n rows. suffix is what follows the values, such as
// "ON CONFLICT DO NOTHING".
func (tx *Tx) insertRows(ctx context.Context, table string, n int, suffix string, cols ...column) error {
	if n == 0 {
		return nil
	}
	if tx.db.dialect == onPostgres {
		query := fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM unnest(%s) AS u(%s) %s", table, names(cols), selected(cols), arrays(cols), names(travelling(cols)), suffix)
		return tx.write(ctx, "insert into "+table, query, params(cols)...)
	}
	return tx.eachRow(ctx, fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s) %s", table, names(cols), marks(len(cols)), suffix), n, cols)
}

// updateRows sets the other columns where the first one, the key, matches.
func (tx *Tx) updateRows(ctx context.Context, table string, n int, key column, cols ...column) error {
	if n == 0 {
		return nil
	}
	sets := make([]string, len(cols))
	if tx.db.dialect == onPostgres {
		for i, c := range cols {
			sets[i] = c.name + " = " + c.source()
		}
		all := append([]column{key}, cols...)
		// The second condition says the same again, so that the key's index is
		// used whatever the planner thinks of the arrays.
		query := fmt.Sprintf("UPDATE %s AS t SET %s FROM unnest(%s) AS u(%s) WHERE t.%s = u.%s AND t.%s = ANY($1)",
			table, strings.Join(sets, ", "), arrays(all), names(travelling(all)), key.name, key.name, key.name)
		return tx.write(ctx, "update "+table, query, params(all)...)
	}
	for i, c := range cols {
		sets[i] = c.name + " = ?"
	}
	query := fmt.Sprintf("UPDATE %s SET %s WHERE %s = ?", table, strings.Join(sets, ", "), key.name)
	return tx.eachRow(ctx, query, n, append(append([]column(nil), cols...), key))
}

// insertReturning inserts n rows and returns their ids in the order of the
// rows.
func (tx *Tx) insertReturning(ctx context.Context, table string, n int, cols ...column) ([]int64, error) {
	if n == 0 {
		return nil, nil
	}
	ids := make([]int64, 0, n)
	if tx.db.dialect == onPostgres {
		// Identity values are given in the order in which rows are inserted,
		// and unnest keeps the order of its arrays.
		query := fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM unnest(%s) AS u(%s) RETURNING id", table, names(cols), selected(cols), arrays(cols), names(travelling(cols)))
		return scanInts(tx.QueryContext(ctx, query, params(cols)...))
	}
	query := fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s) RETURNING id", table, names(cols), marks(len(cols)))
	stmt, err := tx.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer stmt.Close()
	args := make([]any, len(cols))
	for i := range n {
		for j, c := range cols {
			args[j] = c.at(i)
		}
		var id int64
		if err := stmt.QueryRowContext(ctx, args...).Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// eachRow runs a statement once a row.
func (tx *Tx) eachRow(ctx context.Context, query string, n int, cols []column) error {
	stmt, err := tx.PrepareContext(ctx, query)
	if err != nil {
		return err
	}
	defer stmt.Close()
	args := make([]any, len(cols))
	for i := range n {
		for j, c := range cols {
			args[j] = c.at(i)
		}
		if _, err := stmt.ExecContext(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// in writes "column IN (…)" for a list of ids, as one parameter where the
// dialect can. next is the number of the parameter.
func (db *DB) in(expr string, next int, ids []int64) (string, []any) {
	if db.dialect == onPostgres {
		return fmt.Sprintf("%s = ANY($%d)", expr, next), []any{ids}
	}
	if len(ids) == 0 {
		return "1 = 0", nil
	}
	args := make([]any, len(ids))
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = fmt.Sprintf("?%d", next+i)
		args[i] = id
	}
	return expr + " IN (" + strings.Join(list, ",") + ")", args
}

func scanInts(rows *sql.Rows, err error) ([]int64, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

func names(cols []column) string {
	s := make([]string, len(cols))
	for i, c := range cols {
		s[i] = c.name
	}
	return strings.Join(s, ", ")
}

// travelling are the columns that are not empty.
func travelling(cols []column) []column {
	var some []column
	for _, c := range cols {
		if c.literal == "" {
			some = append(some, c)
		}
	}
	return some
}

// source is where a statement finds the column's value.
func (c column) source() string {
	if c.literal != "" {
		return c.literal + "::" + c.pgType
	}
	return "u." + c.name
}

func selected(cols []column) string {
	s := make([]string, len(cols))
	for i, c := range cols {
		s[i] = c.source()
	}
	return strings.Join(s, ", ")
}

func arrays(cols []column) string {
	var s []string
	for i, c := range travelling(cols) {
		s = append(s, fmt.Sprintf("$%d::%s[]", i+1, c.pgType))
	}
	return strings.Join(s, ", ")
}

func params(cols []column) []any {
	var s []any
	for _, c := range travelling(cols) {
		s = append(s, c.values)
	}
	return s
}

func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }
