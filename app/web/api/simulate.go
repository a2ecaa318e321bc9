package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/simulate"
)

// maxAnswers bounds the answers in one simulation.
const maxAnswers = 20

// Simulations use the processor that paging needs too, so few run at once; the
// others wait, and are rejected after maxWait.
const (
	maxSimulations = 2
	maxWait        = 2 * time.Second
)

// semaphore bounds how many work at once: its capacity.
type semaphore chan struct{}

// acquire waits until another may work. Fault: Unavailable.
func (s semaphore) acquire(ctx context.Context) (release func(), err error) {
	timeout := time.NewTimer(maxWait)
	defer timeout.Stop()
	select {
	case s <- struct{}{}:
		return func() { <-s }, nil
	case <-timeout.C:
		return nil, fault.Unavailable("As many simulations as may run at once are running. Try again in a moment.")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// simulationBody is the body of a request to simulate.
type simulationBody struct {
	Integration string            `json:"integration"`
	Service     string            `json:"service"`
	At          time.Time         `json:"at"`
	For         string            `json:"for"`
	Breach      json.RawMessage   `json:"breach"`
	Answers     []json.RawMessage `json:"answers"`
}

// answerBody is what a person would do. Without a user it is the person who would
// have been notified last before.
type answerBody struct {
	After  string `json:"after"`
	User   string `json:"user"`
	Action string `json:"action"`
}

// simulate answers who would be paged when, and pages nobody.
func (h *handlers) simulate(c echo.Context, _ auth.Actor) (any, error) {
	var body simulationBody
	given, err := readBody(c, &body)
	if err != nil {
		return nil, err
	}
	config, err := h.current(c)
	if err != nil {
		return nil, err
	}
	s := simulation{simulationBody: body, config: config, formats: h.Formats}
	_, at := given["at"]
	s.check(at, h.Now())
	if err := s.err(); err != nil {
		return nil, err
	}
	ctx := c.Request().Context()
	release, err := h.simulating.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := h.loadConfig(ctx, &s.input); err != nil {
		return nil, err
	}
	for i := range s.Answers {
		s.answer(i)
	}
	if err := s.err(); err != nil {
		return nil, err
	}
	timeline, err := simulate.Run(ctx, s.input)
	if err != nil {
		return nil, s.mapFault(err)
	}
	return config.simulated(timeline), nil
}

// loadConfig reads the configuration as of now.
func (h *handlers) loadConfig(ctx context.Context, in *simulate.Input) error {
	config, err := h.Configs.Current(ctx)
	if err != nil {
		return err
	}
	in.Works, in.Policy = h.Works, config.PolicyVersion
	in.Snapshot, in.Roster, in.Recipients = config.Catalog(), config.Roster(), config.Recipients()
	return nil
}

// simulation is the input read from a body, and the errors found in it.
type simulation struct {
	simulationBody
	config  *listing
	formats *ingest.Formats
	input   simulate.Input
	errors  []fault.Field
}

func (s *simulation) add(path, format string, args ...any) {
	s.errors = append(s.errors, fault.Field{Path: path, Message: fmt.Sprintf(format, args...)})
}

func (s *simulation) err() error {
	if s.errors == nil {
		return nil
	}
	return fault.Invalid("This cannot be simulated as it is.").With(s.errors...)
}

// check reads all but the answers, which need the people.
func (s *simulation) check(hasTime bool, now time.Time) {
	s.readIntegration()
	s.input.At = now
	if hasTime && !s.At.IsZero() {
		s.input.At = s.At
	}
	if !inRange(s.input.At) {
		s.add("at", "must be from the year 2000 to 9000")
	}
	if s.For != "" {
		span, err := organization.ParseDuration(s.For)
		if s.input.Span = time.Duration(span); err != nil || span == 0 || s.input.Span > simulate.MaxSpan {
			s.add("for", "must be a length of time such as 12h or 3d, at most %d days", simulate.MaxSpan/(24*time.Hour))
		}
	}
	if len(s.Answers) > maxAnswers {
		s.add("answers", "must be at most %d", maxAnswers)
	}
	s.input.Payload = s.Breach
	if len(s.Breach) == 0 || string(s.Breach) == "null" {
		s.add("breach", missing)
	} else if bytes.TrimSpace(s.Breach)[0] != '{' {
		s.add("breach", "must be an object")
	} else if format := s.input.Format; format != nil {
		if _, err := format.Decode(ingest.Input{Endpoint: format.Endpoints[0].Path, Body: s.Breach}); err != nil {
			s.addBreachErrors(err)
		}
	}
}

// readIntegration finds the integration of the breach, or makes one for a service
// alone.
func (s *simulation) readIntegration() {
	switch {
	case s.Integration == "" && s.Service == "":
		s.add("integration", "or a service must be given")
	case s.Integration != "" && s.Service != "":
		s.add("service", "must not be given beside an integration")
	case s.Service != "":
		found, err := s.config.ServiceNamed(s.Service)
		if err != nil {
			s.add("service", "must be the slug of a service")
		}
		s.input.Integration = catalog.Integration{Name: "simulation", Kind: catalog.KindSLO, ServiceID: &found.ID}
	default:
		i := slices.IndexFunc(s.config.Integrations, func(i organization.IntegrationRecord) bool { return i.Slug == s.Integration })
		if i < 0 {
			s.add("integration", "must be the slug of an integration")
			break
		}
		s.input.Integration = s.config.Integrations[i].Integration
	}
	s.input.Format, _ = s.formats.Kind(cmp.Or(s.input.Integration.Kind, catalog.KindSLO))
}

// mapFault maps a fault of the simulation to the field of the request: an answer,
// or the breach, whose service is unknown. Any other error is returned unchanged.
func (s *simulation) mapFault(err error) error {
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.KindInvalid {
		return err
	}
	for _, field := range f.Fields {
		if strings.HasPrefix(field.Path, "answers[") {
			s.add(field.Path, "%s", field.Message)
		}
	}
	if s.errors == nil {
		s.addBreachErrors(err)
	}
	return s.err()
}

// addBreachErrors adds the decoder's or the configuration's fault about the breach.
func (s *simulation) addBreachErrors(err error) {
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.KindInvalid && f.Kind != fault.KindMalformed {
		return
	}
	for _, field := range f.Fields {
		s.add("breach."+field.Path, "%s", field.Message)
	}
	if len(f.Fields) == 0 {
		s.add("breach", "%s", f.Message)
	}
}

// answer reads one answer.
func (s *simulation) answer(i int) {
	path := fmt.Sprintf("answers[%d]", i)
	a, ok := s.readAnswer(i, path)
	if !ok {
		return
	}
	answer := simulate.Answer{Kind: simulate.Acknowledge}
	if a.Action != "" {
		answer.Kind = simulate.AnswerKind(a.Action)
	}
	if answer.Kind != simulate.Acknowledge && answer.Kind != simulate.Resolve {
		s.add(path+".action", `must be "acknowledge" or "resolve"`)
	}
	after, err := organization.ParseDuration(a.After)
	answer.After = time.Duration(after)
	switch {
	case a.After == "":
		s.add(path+".after", missing)
	case err != nil:
		s.add(path+".after", "must be a length of time such as 5m")
	}
	if a.User != "" && !s.findPerson(a.User, &answer.Person) {
		s.add(path+".user", "must be the email address of somebody who is not deactivated")
	}
	s.input.Answers = append(s.input.Answers, answer)
}

// readAnswer reads the object that an answer is.
func (s *simulation) readAnswer(i int, path string) (a answerBody, ok bool) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(s.Answers[i], &members); err != nil || members == nil {
		s.add(path, "must be an object")
		return a, false
	}
	err := assign(members, reflect.ValueOf(&a).Elem())
	var f *fault.Error
	if errors.As(err, &f) {
		for _, field := range f.Fields {
			s.add(path+"."+field.Path, "%s", field.Message)
		}
	}
	return a, err == nil
}

func (s *simulation) findPerson(email string, id *int64) bool {
	email, err := auth.NormalizeEmail(email)
	if err != nil {
		return false
	}
	for _, u := range s.config.Users {
		if u.Email == email {
			*id = u.ID
			_, ok := s.input.Roster.People[u.ID]
			return ok
		}
	}
	return false
}
