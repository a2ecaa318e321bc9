package web

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

// The sizes of a part of a list.
const (
	usualLimit = 50
	mostLimit  = 200
)

// limit reads how many items are wanted.
func limit(c echo.Context) (int, error) {
	text := c.QueryParam("limit")
	if text == "" {
		return usualLimit, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > mostLimit {
		return 0, refuse("limit", "A limit is a whole number from 1 to %d.", mostLimit)
	}
	return n, nil
}

// A cursor names the last item of the part before. Clients must not read it.
const cursorMark = "1 "

func cursorOf(key string) *string {
	text := base64.RawURLEncoding.EncodeToString([]byte(cursorMark + key))
	return &text
}

// cursor reads the key of the last item of the part before; empty for the first
// part.
func cursor(c echo.Context) (string, error) {
	text := c.QueryParam("cursor")
	if text == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	key, ok := strings.CutPrefix(string(raw), cursorMark)
	if err != nil || !ok || key == "" {
		return "", refuse("cursor", "This is no cursor of ours. Use next_cursor as it was given.")
	}
	return key, nil
}

// numberCursor is a cursor whose key is a number; 0 for the first part.
func numberCursor(c echo.Context) (int64, error) {
	key, err := cursor(c)
	if err != nil || key == "" {
		return 0, err
	}
	n, ok := parseNumber(key)
	if !ok {
		return 0, refuse("cursor", "This is no cursor of ours. Use next_cursor as it was given.")
	}
	return n, nil
}

// part cuts a whole list, ordered by a key that no two items share, to what was
// asked for.
func part[T any](c echo.Context, items []T, key func(T) string) (list[T], error) {
	most, err := limit(c)
	if err != nil {
		return list[T]{}, err
	}
	after, err := cursor(c)
	if err != nil {
		return list[T]{}, err
	}
	slices.SortFunc(items, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	if after != "" {
		i, found := slices.BinarySearchFunc(items, after, func(item T, after string) int { return strings.Compare(key(item), after) })
		if found {
			i++
		}
		items = items[i:]
	}
	answer := list[T]{Items: items}
	if len(items) > most {
		answer.Items, answer.NextCursor = items[:most], cursorOf(key(items[most-1]))
	}
	if answer.Items == nil {
		answer.Items = []T{}
	}
	return answer, nil
}

// timeIn reads a time of the query, or takes the one given.
func timeIn(c echo.Context, name string, otherwise time.Time) (time.Time, error) {
	text := c.QueryParam(name)
	if text == "" {
		return otherwise, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || !sane(at) {
		return at, refuse(name, "A time is written as in RFC 3339, such as 2026-11-23T18:04:05Z, from the year 2000 to 9000; a plus sign in a query is %%2B.")
	}
	return at.UTC(), nil
}

// sane reports whether a time is one that JSON, both databases and schedules can
// deal with, in every zone.
func sane(at time.Time) bool { return at.UTC().Year() >= 2000 && at.UTC().Year() <= 9000 }

// parseNumber reads a positive number.
func parseNumber(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n > 0
}

// utc is a time as the API writes it; nil for none.
func utc(t *time.Time) *time.Time {
	if t == nil || t.IsZero() {
		return nil
	}
	at := t.UTC()
	return &at
}

// orNull is nil for an empty text.
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
