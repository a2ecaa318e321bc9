package web

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
	"github.com/tocsin-oncall/tocsin/app/blueprint"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/simulate"
)

// mostAnswers is how many people do something in one simulation.
const mostAnswers = 20

// A simulation is work for the processor that paging needs too, so that few run
// at once; who does not get a turn within a while is told to come again.
const (
	mostSimulations = 2
	turnWithin      = 2 * time.Second
)

// turns lets so many work at once as it has room for.
type turns chan struct{}

// take waits for a turn, to be given back. Fault: Unavailable.
func (t turns) take(ctx context.Context) (back func(), err error) {
	late := time.NewTimer(turnWithin)
	defer late.Stop()
	select {
	case t <- struct{}{}:
		return func() { <-t }, nil
	case <-late.C:
		return nil, fault.Unavailable("As many simulations as may run at once are running. Try again in a moment.")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// newSimulation is what is to be simulated.
type newSimulation struct {
	Integration string            `json:"integration"`
	Service     string            `json:"service"`
	At          time.Time         `json:"at"`
	For         string            `json:"for"`
	Breach      json.RawMessage   `json:"breach"`
	Answers     []json.RawMessage `json:"answers"`
}

// newAnswer is what a person would do. Without a person it is whoever would have
// been told last before.
type newAnswer struct {
	After  string `json:"after"`
	User   string `json:"user"`
	Action string `json:"action"`
}

// apiSimulate tells who would be paged when, and pages nobody.
func (h *edge) apiSimulate(c echo.Context, _ auth.Actor) (any, error) {
	var body newSimulation
	given, err := readBody(c, &body)
	if err != nil {
		return nil, err
	}
	config, err := h.listing(c)
	if err != nil {
		return nil, err
	}
	s := simulation{newSimulation: body, config: config, formats: h.Formats}
	s.check(given["at"], h.Now())
	if err := s.refusal(); err != nil {
		return nil, err
	}
	ctx := c.Request().Context()
	back, err := h.simulating.take(ctx)
	if err != nil {
		return nil, err
	}
	defer back()
	if err := h.surroundings(ctx, &s.input); err != nil {
		return nil, err
	}
	for i := range s.Answers {
		s.answer(i)
	}
	if err := s.refusal(); err != nil {
		return nil, err
	}
	timeline, err := simulate.Run(ctx, s.input)
	if err != nil {
		return nil, s.whose(err)
	}
	return config.simulated(timeline), nil
}

// surroundings are the configuration as it is now.
func (h *edge) surroundings(ctx context.Context, in *simulate.Input) (err error) {
	in.Works = h.Works
	in.Policy = func(version int64) (escalation.NamedPolicy, error) { return h.Directory.Policy(ctx, version) }
	if in.Snapshot, err = h.Config.Reload(ctx); err != nil {
		return err
	}
	if in.Roster, err = h.Directory.Roster(ctx, in.Snapshot.Version()); err != nil {
		return err
	}
	in.Recipients, err = h.People.Recipients(ctx, in.Snapshot.Version())
	return err
}

// simulation is read from a body, and gathers what is wrong with it.
type simulation struct {
	newSimulation
	config  *listing
	formats *ingest.Formats
	input   simulate.Input
	wrong   []fault.Field
}

func (s *simulation) refuse(path, format string, args ...any) {
	s.wrong = append(s.wrong, fault.Field{Path: path, Message: fmt.Sprintf(format, args...)})
}

func (s *simulation) refusal() error {
	if s.wrong == nil {
		return nil
	}
	return fault.Invalid("This cannot be simulated as it is.").With(s.wrong...)
}

// check reads all but the answers, which need to know who there is.
func (s *simulation) check(dated bool, now time.Time) {
	s.comesInBy()
	s.input.At = now
	if dated && !s.At.IsZero() {
		s.input.At = s.At
	}
	if !sane(s.input.At) {
		s.refuse("at", "must be from the year 2000 to 9000")
	}
	if s.For != "" {
		span, err := blueprint.ParseDuration(s.For)
		if s.input.Span = time.Duration(span); err != nil || span == 0 || s.input.Span > simulate.MostSpan {
			s.refuse("for", "must be a length of time such as 12h or 3d, at most %d days", simulate.MostSpan/(24*time.Hour))
		}
	}
	if len(s.Answers) > mostAnswers {
		s.refuse("answers", "must be at most %d", mostAnswers)
	}
	s.input.Payload = s.Breach
	if len(s.Breach) == 0 || string(s.Breach) == "null" {
		s.refuse("breach", "is missing")
	} else if bytes.TrimSpace(s.Breach)[0] != '{' {
		s.refuse("breach", "must be an object")
	} else if format := s.input.Format; format != nil {
		if _, err := format.Decode(ingest.Input{Endpoint: format.Endpoints[0].Path, Body: s.Breach}); err != nil {
			s.breachIs(err)
		}
	}
}

// comesInBy finds the integration that the breach comes in by, or makes one that
// takes signals for a service alone.
func (s *simulation) comesInBy() {
	switch {
	case s.Integration == "" && s.Service == "":
		s.refuse("integration", "or a service must be given")
	case s.Integration != "" && s.Service != "":
		s.refuse("service", "must not be given beside an integration")
	case s.Service != "":
		found, err := s.config.service(s.Service)
		if err != nil {
			s.refuse("service", "must be the slug of a service")
		}
		s.input.Integration = catalog.Integration{Name: "simulation", Kind: catalog.KindSLO, ServiceID: &found.ID}
	default:
		i := slices.IndexFunc(s.config.Integrations, func(i blueprint.KeptIntegration) bool { return i.Slug == s.Integration })
		if i < 0 {
			s.refuse("integration", "must be the slug of an integration")
			return
		}
		s.input.Integration = s.config.Integrations[i].Integration
	}
	s.input.Format, _ = s.formats.Kind(cmp.Or(s.input.Integration.Kind, catalog.KindSLO))
}

// whose puts what a simulation refuses where it stands in the request: an answer,
// or the breach, whose service nobody knows. Any other error stays what it is.
func (s *simulation) whose(err error) error {
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.KindInvalid {
		return err
	}
	for _, field := range f.Fields {
		if strings.HasPrefix(field.Path, "answers[") {
			s.refuse(field.Path, "%s", field.Message)
		}
	}
	if s.wrong == nil {
		s.breachIs(err)
	}
	return s.refusal()
}

// breachIs notes what the decoder, or the configuration, has against the breach.
func (s *simulation) breachIs(err error) {
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.KindInvalid && f.Kind != fault.KindMalformed {
		return
	}
	for _, field := range f.Fields {
		s.refuse("breach."+field.Path, "%s", field.Message)
	}
	if len(f.Fields) == 0 {
		s.refuse("breach", "%s", f.Message)
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
		s.refuse(path+".action", `must be "acknowledge" or "resolve"`)
	}
	after, err := blueprint.ParseDuration(a.After)
	if answer.After = time.Duration(after); err != nil {
		s.refuse(path+".after", "must be a length of time such as 5m")
	}
	if a.User != "" && !s.known(a.User, &answer.Person) {
		s.refuse(path+".user", "must be the email address of somebody who is not deactivated")
	}
	s.input.Answers = append(s.input.Answers, answer)
}

// readAnswer reads the object that an answer is.
func (s *simulation) readAnswer(i int, path string) (a newAnswer, ok bool) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(s.Answers[i], &members); err != nil || members == nil {
		s.refuse(path, "must be an object")
		return a, false
	}
	_, err := assign(members, reflect.ValueOf(&a).Elem())
	var f *fault.Error
	if errors.As(err, &f) {
		for _, field := range f.Fields {
			s.refuse(path+"."+field.Path, "%s", field.Message)
		}
	}
	return a, err == nil
}

func (s *simulation) known(email string, id *int64) bool {
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
