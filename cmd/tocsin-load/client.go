package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// client is one keep-alive connection that posts breaches as bytes. It does no more,
// since it shares the machine with the server that it measures.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	out  []byte
	host string
	path string
}

func dial(ctx context.Context, host, path string) (*client, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	in := bufio.NewReader(conn)
	return &client{conn: conn, in: in, host: host, path: path}, nil
}

// post sends one body and returns once the whole answer is there.
func (c *client) post(body []byte) (status int, err error) {
	c.out = append(c.out[:0], "POST "...)
	c.out = append(c.out, c.path...)
	c.out = append(c.out, " HTTP/1.1\r\nHost: "...)
	c.out = append(c.out, c.host...)
	c.out = append(c.out, "\r\nContent-Type: application/json\r\nContent-Length: "...)
	c.out = strconv.AppendInt(c.out, int64(len(body)), 10)
	c.out = append(c.out, "\r\n\r\n"...)
	c.out = append(c.out, body...)
	if _, err := c.conn.Write(c.out); err != nil {
		return 0, err
	}
	return c.answer()
}

func (c *client) answer() (status int, err error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < 12 {
		return 0, fmt.Errorf("invalid status line %q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, err
	}
	length := -1
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if len(line) <= 2 {
			break
		}
		if name, value, ok := strings.Cut(string(line), ":"); ok && strings.EqualFold(name, "Content-Length") {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return 0, err
			}
		}
	}
	if length < 0 {
		return 0, fmt.Errorf("response without Content-Length")
	}
	_, err = c.in.Discard(length)
	return status, err
}

// breach is a body like a real one; only its dedup key differs.
func breach(into []byte, dedup string) []byte {
	into = append(into[:0], `{"status":"breached","service":"load-0","deployment":"prod-eu","endpoint":"GET /api/data/{tenant}","sli":"availability",`+
		`"slo":{"name":"Availability of get data API","objective":99.7,"window":"28d"},"incident_priority":2,"observed":98.9,"broken_by_percent":366,`+
		`"error_budget":{"remaining_percent":41.5,"depleted_percent":12.0,"depletion_window":"60m","burn_rate":4.2},`+
		`"environment":{"cpu":"90%","recycled":"3 min before"},"dependencies":[{"service":"ledger","availability":99.2,"error_budget_remaining_percent":-12}],`+
		`"links":[{"text":"Event logs","href":"https://logs.example.com/q/1"}],"dedup_key":"`...)
	into = append(into, dedup...)
	return append(into, `"}`...)
}

// result is the measurement of one run of requests.
type result struct {
	requests int
	errors   int
	took     time.Duration
	p50, p99 time.Duration
}

func (r result) perSecond() float64 { return float64(r.requests) / r.took.Seconds() }

// bound ends a run of requests, by time or by number.
type bound struct {
	lasting  time.Duration // 0 for no end by time
	requests int64         // 0 for no end by number
}

func (b bound) over(began time.Time, n int64) bool {
	return b.lasting > 0 && time.Since(began) >= b.lasting || b.requests > 0 && n > b.requests
}

// hammer posts over a number of connections, on each the next request as soon as the
// last is answered.
func hammer(ctx context.Context, host, path string, connections int, until bound, key func(n int64) string) (result, error) {
	var next, failures atomic.Int64
	latencies := make([][]time.Duration, connections)
	errs := make([]error, connections)
	began := time.Now()
	var all sync.WaitGroup
	for i := range connections {
		c, err := dial(ctx, host, path)
		if err != nil {
			return result{}, err
		}
		all.Go(func() {
			defer func() { _ = c.conn.Close() }()
			var body []byte
			for n := next.Add(1); !until.over(began, n) && ctx.Err() == nil; n = next.Add(1) {
				body = breach(body, key(n))
				sent := time.Now()
				status, err := c.post(body)
				if err != nil {
					errs[i] = err
					return
				}
				if status != 202 {
					failures.Add(1)
				}
				latencies[i] = append(latencies[i], time.Since(sent))
			}
		})
	}
	all.Wait()
	r := result{took: time.Since(began), errors: int(failures.Load())}
	for _, err := range errs {
		if err != nil {
			return r, err
		}
	}
	together := slices.Concat(latencies...)
	slices.Sort(together)
	r.requests = len(together)
	r.p50, r.p99 = quantile(together, .5), quantile(together, .99)
	return r, nil
}

// quantile of sorted durations; zero for none.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
