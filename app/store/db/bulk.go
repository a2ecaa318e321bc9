package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Column is one column of a batch of rows. On PostgreSQL a column is one parameter
// of one statement, whatever the number of rows, so that the statement stays
// prepared; on SQLite, where a call costs no round trip, a prepared statement is run
// once per row.
type Column struct {
	name   string
	pgType string
	list   any           // a slice, for PostgreSQL
	at     func(int) any // its i-th element, for SQLite and for a value sent once
	// uniform says that every row has the same value, which is then sent once: in
	// a storm, half of the columns of new incidents.
	uniform bool
}

// Col is a column of values, one a row, of a PostgreSQL type.
func Col[T any](name, pgType string, values []T) Column {
	return Column{name: name, pgType: pgType, list: values, at: func(i int) any { return values[i] }, uniform: len(values) == 1 || len(values) >= minUniformRows && isUniform(values)}
}

// Each set of uniform columns is a statement of its own, which every connection
// prepares and PostgreSQL keeps. So small batches, which have the most sets and the
// least to save, and long texts are sent as lists even where their values are equal.
const (
	minUniformRows = 8  // the fewest rows whose values are compared
	maxUniformLen  = 32 // bytes of a text that is compared
)

// isUniform reports whether all values are equal; false for types that are not
// compared.
func isUniform(values any) bool {
	switch v := values.(type) {
	case []string:
		return len(v) > 0 && len(v[0]) <= maxUniformLen && equal(v)
	case []time.Time:
		return equal(v)
	case []int64:
		return equal(v)
	case []int:
		return equal(v)
	case []bool:
		return equal(v)
	case []*time.Time:
		return equalPointers(v)
	case []*int64:
		return equalPointers(v)
	case []*int:
		return equalPointers(v)
	}
	return false
}

func equal[T comparable](values []T) bool {
	for _, v := range values {
		if v != values[0] {
			return false
		}
	}
	return true
}

// equalPointers is equal for values that may be nil.
func equalPointers[T comparable](values []*T) bool {
	for _, v := range values {
		if v != values[0] && (v == nil || values[0] == nil || *v != *values[0]) {
			return false
		}
	}
	return true
}

// ColOf is Col over a field of rows.
func ColOf[R, T any](name, pgType string, rows []R, field func(*R) T) Column {
	values := make([]T, len(rows))
	for i := range rows {
		values[i] = field(&rows[i])
	}
	return Col(name, pgType, values)
}

// InsertRows inserts n rows. suffix is what follows the values, such as
// "ON CONFLICT DO NOTHING".
func (tx *Tx) InsertRows(ctx context.Context, table string, n int, suffix string, cols ...Column) error {
	if n == 0 {
		return nil
	}
	if tx.DB.Dialect == Postgres {
		insert := fmt.Sprintf("INSERT INTO %s (%s)", table, names(cols))
		rows, params := tx.unnested(insert, n, cols)
		return tx.Write(ctx, "insert into "+table, fmt.Sprintf("%s SELECT %s %s", insert, rows, suffix), params...)
	}
	return tx.eachRow(ctx, fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s) %s", table, names(cols), placeholders(len(cols)), suffix), n, cols)
}

// UpdateRows sets the other columns where the first one, the key, matches.
func (tx *Tx) UpdateRows(ctx context.Context, table string, n int, key Column, cols ...Column) error {
	if n == 0 {
		return nil
	}
	sets := make([]string, len(cols))
	if tx.DB.Dialect == Postgres {
		for i, c := range cols {
			sets[i] = c.name + " = u." + c.name
		}
		key.uniform = false // ANY needs a list
		update := fmt.Sprintf("UPDATE %s AS t SET %s", table, strings.Join(sets, ", "))
		rows, params := tx.unnested(update, n, append([]Column{key}, cols...))
		// The second condition is redundant: it makes the planner use the key's
		// index whatever it estimates for the arrays.
		query := fmt.Sprintf("%s FROM (SELECT %s) AS u WHERE t.%s = u.%s AND t.%s = ANY($1)", update, rows, key.name, key.name, key.name)
		return tx.Write(ctx, "update "+table, query, params...)
	}
	for i, c := range cols {
		sets[i] = c.name + " = ?"
	}
	query := fmt.Sprintf("UPDATE %s SET %s WHERE %s = ?", table, strings.Join(sets, ", "), key.name)
	return tx.eachRow(ctx, query, n, append(append([]Column(nil), cols...), key))
}

// InsertReturning inserts n rows and returns their ids in the order of the
// rows.
func (tx *Tx) InsertReturning(ctx context.Context, table string, n int, cols ...Column) ([]int64, error) {
	if n == 0 {
		return nil, nil
	}
	ids := make([]int64, 0, n)
	if tx.DB.Dialect == Postgres {
		// Identity values are given in the order in which rows are inserted,
		// and unnest keeps the order of its arrays.
		insert := fmt.Sprintf("INSERT INTO %s (%s)", table, names(cols))
		rows, params := tx.unnested(insert, n, cols)
		err := tx.Query(ctx, Statement{
			Name:  "insert into " + table,
			Query: fmt.Sprintf("%s SELECT %s RETURNING id", insert, rows),
			Args:  params,
			Each:  func(scan func(...any) error) error { return AppendInt(&ids, scan) },
		})
		return ids, err
	}
	stmt, err := tx.PrepareContext(ctx, fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s) RETURNING id", table, names(cols), placeholders(len(cols))))
	if err != nil {
		return nil, err
	}
	defer stmt.Close()
	args := make([]any, len(cols))
	for i := range n {
		for j, c := range cols {
			args[j] = c.at(i)
		}
		if err := AppendInt(&ids, stmt.QueryRowContext(ctx, args...).Scan); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// AppendInt scans an integer onto a list.
func AppendInt(list *[]int64, scan func(...any) error) error {
	var n int64
	err := scan(&n)
	*list = append(*list, n)
	return err
}

// eachRow runs a statement once a row.
func (tx *Tx) eachRow(ctx context.Context, query string, n int, cols []Column) error {
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

// In is the condition that an expression is one of a list of ids, as one parameter
// on PostgreSQL. next is the number of the first parameter.
func (db *DB) In(expr string, next int, ids []int64) (string, []any) {
	if db.Dialect == Postgres {
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

// InTexts is a condition that an expression is one of a few texts. Its
// parameters are counted from next.
func InTexts[T ~string](expr string, next int, texts []T) (string, []any) {
	if len(texts) == 0 {
		return "1 = 0", nil
	}
	args := make([]any, len(texts))
	list := make([]string, len(texts))
	for i, text := range texts {
		args[i], list[i] = string(text), fmt.Sprintf("$%d", next+i)
	}
	return expr + " IN (" + strings.Join(list, ", ") + ")", args
}

// Ints runs a query of one column of integers in the transaction.
func (tx *Tx) Ints(ctx context.Context, query string, args ...any) ([]int64, error) {
	return scanInts(tx.QueryContext(ctx, query, args...))
}

// Ints runs a query of one column of integers, outside of any transaction.
func (db *DB) Ints(ctx context.Context, query string, args ...any) ([]int64, error) {
	return scanInts(db.Read.QueryContext(ctx, db.Rebind(query), args...))
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

func names(cols []Column) string {
	s := make([]string, len(cols))
	for i, c := range cols {
		s[i] = c.name
	}
	return strings.Join(s, ", ")
}

// unnested selects the columns of n rows. The lists advance together; as a
// select list they cost PostgreSQL a quarter less for the whole statement than in
// FROM, where each is materialized first.
func (tx *Tx) unnested(statement string, n int, cols []Column) (query string, params []any) {
	uniform := tx.DB.shapes.pick(statement, uniformColumns(n, cols))
	selected := make([]string, len(cols))
	params = make([]any, len(cols))
	for i, c := range cols {
		if uniform&(1<<i) != 0 {
			selected[i], params[i] = fmt.Sprintf("$%d::%s AS %s", i+1, c.pgType, c.name), c.at(0)
		} else {
			selected[i], params[i] = fmt.Sprintf("unnest($%d::%s[]) AS %s", i+1, c.pgType, c.name), c.list
		}
	}
	return strings.Join(selected, ", "), params
}

func placeholders(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

// AsJSON encodes data of types that JSON can always encode; it panics for others.
func AsJSON(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(data)
}
