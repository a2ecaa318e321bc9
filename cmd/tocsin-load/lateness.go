package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// lateService has a policy of two steps, the first of which lasts firstStep.
	lateService = "load-late"
	firstStep   = 3 * time.Second
	// lateSteps is how many second steps are measured, and lateEvery the time between
	// them, which is no divisor of a second.
	lateSteps = 300
	lateEvery = 37 * time.Millisecond
	// waitingEscalations is how many wait meanwhile at least.
	waitingEscalations = 10_000
)

// lateKey is the integration key of lateService.
func lateKey() string { return key(999_999) }

// lateConfiguration is lateService in the configuration file, as lists of each section.
func lateConfiguration() (policy, service, integration string) {
	return fmt.Sprintf("  - {slug: %s, name: Late, steps: [{timeout: %ds, targets: [{user: p0@load.example}]}, {timeout: 1h, targets: [{user: p0@load.example}]}]}\n", lateService, int(firstStep.Seconds())),
		fmt.Sprintf("  - {slug: %s, name: Late, deployments: [prod-eu], escalation_policy: %s}\n", lateService, lateService),
		fmt.Sprintf("  - {slug: %s, name: Late, kind: slo, service: %s, key: %s}\n", lateService, lateService, lateKey())
}

// lateness measures how long after its time a step fires while many escalations wait, by
// the timeline: what is between its two steps, less the timeout. The values are sorted.
func (s *subject) lateness(ctx context.Context) ([]time.Duration, error) {
	if err := s.fill(ctx); err != nil {
		return nil, err
	}
	if err := s.waitIdle(ctx); err != nil {
		return nil, err
	}
	c, err := dial(ctx, s.host, "/webhooks/slo/"+lateKey())
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.conn.Close() }()
	run++
	for i := range lateSteps {
		if status, err := c.post(breach(nil, fmt.Sprintf("late-%d-%d", run, i))); err != nil || status != http.StatusAccepted {
			return nil, fmt.Errorf("breach %d: status %d, %w", i, status, err)
		}
		if err := wait(ctx, lateEvery); err != nil {
			return nil, err
		}
	}
	if err := wait(ctx, firstStep+5*time.Second); err != nil {
		return nil, err
	}
	return s.readLateness(ctx, fmt.Sprintf("late-%d-", run))
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// fill opens incidents until waitingEscalations wait.
func (s *subject) fill(ctx context.Context) error {
	for s.opened < waitingEscalations {
		r, err := hammer(ctx, s.host, "/webhooks/slo/"+key(0), 32, bound{lasting: time.Second}, keys("distinct"))
		if err != nil {
			return err
		}
		s.opened += r.requests - r.errors
	}
	return nil
}

// readLateness reads the timelines of the incidents whose dedup key begins so.
func (s *subject) readLateness(ctx context.Context, prefix string) ([]time.Duration, error) {
	token, err := s.token(ctx)
	if err != nil {
		return nil, err
	}
	var late []time.Duration
	for cursor := ""; ; {
		var page struct {
			Items []struct {
				Number   int64  `json:"number"`
				DedupKey string `json:"dedup_key"`
			} `json:"items"`
			Next *string `json:"next_cursor"`
		}
		if err := s.get(ctx, token, "/incidents?service="+lateService+"&limit=200"+cursor, &page); err != nil {
			return nil, err
		}
		for _, i := range page.Items {
			if !strings.HasPrefix(i.DedupKey, prefix) {
				continue
			}
			d, err := s.stepLateness(ctx, token, i.Number)
			if err != nil {
				return nil, err
			}
			late = append(late, d)
		}
		if page.Next == nil {
			break
		}
		cursor = "&cursor=" + *page.Next
	}
	if len(late) != lateSteps {
		return nil, fmt.Errorf("%d of %d incidents were found", len(late), lateSteps)
	}
	slices.Sort(late)
	return late, nil
}

func (s *subject) stepLateness(ctx context.Context, token string, number int64) (time.Duration, error) {
	var timeline struct {
		Items []struct {
			Kind string    `json:"kind"`
			At   time.Time `json:"at"`
		} `json:"items"`
	}
	if err := s.get(ctx, token, "/incidents/"+strconv.FormatInt(number, 10)+"/timeline?limit=200", &timeline); err != nil {
		return 0, err
	}
	var steps []time.Time
	for _, e := range timeline.Items {
		if e.Kind == "step" {
			steps = append(steps, e.At)
		}
	}
	if len(steps) < 2 {
		return 0, fmt.Errorf("incident %d has had %d steps", number, len(steps))
	}
	return steps[1].Sub(steps[0]) - firstStep, nil
}

// token makes an API token on the first call.
func (s *subject) token(ctx context.Context) (string, error) {
	if s.apiToken != "" {
		return s.apiToken, nil
	}
	command := exec.CommandContext(ctx, s.process.Path, "token", "create", "--name", "load", "--scope", "read")
	command.Env = s.process.Env
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("create a token: %w", err)
	}
	s.apiToken = strings.TrimSpace(string(out))
	return s.apiToken, nil
}

func (s *subject) get(ctx context.Context, token, path string, into any) (err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.host+"/api/v1"+path, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", path, answer.Status)
	}
	return json.NewDecoder(answer.Body).Decode(into)
}
