package api

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/web"
)

// The page sizes of lists.
const (
	defaultLimit = 50
	maxLimit     = 200
)

// limit reads the size of a page.
func limit(c echo.Context) (int, error) {
	text := c.QueryParam("limit")
	if text == "" {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxLimit {
		return 0, web.InvalidField("limit", "A limit is a whole number from 1 to %d.", maxLimit)
	}
	return n, nil
}

// A cursor has the key of the last item of the page before. It is opaque to
// clients; the prefix is the version of its format.
const cursorPrefix = "1 "

func cursorOf(key string) *string {
	text := base64.RawURLEncoding.EncodeToString([]byte(cursorPrefix + key))
	return &text
}

// cursor reads the key of the last item of the page before; empty for the first
// page.
func cursor(c echo.Context) (string, error) {
	text := c.QueryParam("cursor")
	if text == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	key, ok := strings.CutPrefix(string(raw), cursorPrefix)
	if err != nil || !ok || key == "" {
		return "", web.InvalidField("cursor", "This is no cursor of ours. Use next_cursor as it was given.")
	}
	return key, nil
}

// numberCursor is a cursor whose key is a number; 0 for the first page.
func numberCursor(c echo.Context) (int64, error) {
	key, err := cursor(c)
	if err != nil || key == "" {
		return 0, err
	}
	n, ok := web.ParseNumber(key)
	if !ok {
		return 0, web.InvalidField("cursor", "This is no cursor of ours. Use next_cursor as it was given.")
	}
	return n, nil
}

// paginate sorts a whole list by a unique key and cuts it to the requested page.
func paginate[T any](c echo.Context, items []T, key func(T) string) (list[T], error) {
	size, err := limit(c)
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
	if len(items) > size {
		answer.Items, answer.NextCursor = items[:size], cursorOf(key(items[size-1]))
	}
	if answer.Items == nil {
		answer.Items = []T{}
	}
	return answer, nil
}

// timeIn reads a time from the query, or returns the default.
func timeIn(c echo.Context, name string, defaultTime time.Time) (time.Time, error) {
	text := c.QueryParam(name)
	if text == "" {
		return defaultTime, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || !inRange(at) {
		return at, web.InvalidField(name, "A time is written as in RFC 3339, such as 2026-11-23T18:04:05Z, from the year 2000 to 9000; a plus sign in a query is %%2B.")
	}
	return at.UTC(), nil
}

// inRange reports whether JSON, both databases and schedules can represent a time
// in every zone.
func inRange(at time.Time) bool { return at.UTC().Year() >= 2000 && at.UTC().Year() <= 9000 }

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
