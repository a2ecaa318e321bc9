// Package reply carries out what people say back to a page, now by SMS: it reads
// the command, acts as the sender and words the answer.
package reply

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// Store reads what a reply refers to.
type Store interface {
	// ContactByAddress is NotFound where the address is nobody's.
	ContactByAddress(ctx context.Context, medium notify.Medium, address string) (notify.ContactMethod, error)
	// PagedBy are the incidents that the owner of a contact method was paged for by
	// it and that wait for an answer; with theirs, those that the owner has
	// acknowledged too. The newest limit of total.
	PagedBy(ctx context.Context, method notify.ContactMethod, theirs bool, limit int) (rows []incident.Row, total int, err error)
	// LastListed are the incidents in the last page by a contact method.
	LastListed(ctx context.Context, method notify.ContactMethod) ([]int64, error)
	SwitchContact(ctx context.Context, by auth.Actor, method notify.ContactMethod, on bool) (changed bool, err error)
	// Notice sends a text that asks for no action.
	Notice(ctx context.Context, to notify.ContactMethod, text string) error
}

// Users reads people: auth.Service.
type Users interface {
	User(ctx context.Context, by auth.Actor, id int64) (*auth.User, error)
}

// Actions carries out commands on incidents: incident.Service.
type Actions interface {
	Do(ctx context.Context, c incident.Command) (incident.Outcome, error)
}

// Service answers replies. All of it is required.
type Service struct {
	Store   Store
	Users   Users
	People  notify.People
	Actions Actions
	// Works reports whether a medium has a channel.
	Works func(notify.Medium) bool
	Now   func() time.Time
	Log   *slog.Logger
}

// sender is the person whose number a reply came from.
type sender struct {
	method notify.ContactMethod
	actor  auth.Actor
	zone   *time.Location
	now    time.Time
	people map[int64]notify.Recipient
}

func (p *sender) by() incident.By {
	return incident.By{Actor: p.actor.String(), UserID: &p.actor.UserID, Via: "sms"}
}

// at is a time in the person's zone, with its day where that is not today.
func (p *sender) at(t time.Time) string {
	t = t.In(p.zone)
	if t.Format(time.DateOnly) == p.now.In(p.zone).Format(time.DateOnly) {
		return "at " + t.Format("15:04 MST")
	}
	return "on " + t.Format("Mon 2 Jan at 15:04 MST")
}

// name is an actor in words.
func (p *sender) name(actor string) string {
	for _, known := range p.people {
		if known.Email == actor {
			return known.Name
		}
	}
	return incident.ActorInWords(actor)
}

// Answers that depend on the command alone.
const (
	// HelpText answers "help".
	HelpText    = `Tocsin: reply "4 17" to acknowledge incident 17, "6 17" to resolve it, "5 17" to escalate it, "decline 17" where you are asked, "ack all" for all of the last message. STOP ends SMS.`
	startedText = "SMS from Tocsin is on again."
	onText      = "SMS from Tocsin is on."
	// StoppedText goes to another contact method of whoever answered STOP.
	StoppedText = "SMS is off\nYou answered STOP, so Tocsin sends no SMS to this number any more, not even at night. Reply START from it to switch SMS on again."
	nothingText = "Nothing is waiting for you."
	// FailedText answers a reply that could not be carried out for an internal
	// reason.
	FailedText = "Tocsin could not do that just now. Send it again in a moment, or open the link."
)

// Reply carries out what a text from a number asks for and returns the answer,
// which is empty where none is due. A text from an unknown number does nothing.
func (s *Service) Reply(ctx context.Context, from, text string) (answer string, known bool, err error) {
	p, err := s.sender(ctx, from)
	if fault.Is(err, fault.KindNotFound) {
		s.Log.WarnContext(ctx, "reply from unknown number", "number_ends_with", from[max(0, len(from)-3):])
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	command, err := notify.ParseCommand(text)
	if err == nil {
		text, err = s.perform(ctx, p, command)
	}
	var f *fault.Error
	if errors.As(err, &f) && f.Kind != fault.KindInternal && f.Kind != fault.KindUnavailable {
		return f.Message, true, nil // such as that there is no such incident
	}
	return text, true, err
}

func (s *Service) sender(ctx context.Context, from string) (*sender, error) {
	address, err := notify.NormalizeAddress(notify.SMS, from)
	if err != nil { // a short code, or a name
		return nil, fault.NotFound("Nobody has this number.")
	}
	method, err := s.Store.ContactByAddress(ctx, notify.SMS, address)
	if err != nil {
		return nil, err
	}
	user, err := s.Users.User(ctx, auth.Tocsin, method.UserID)
	if err != nil {
		return nil, err
	}
	people, err := s.People.Recipients(ctx, 0)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(people[user.ID].Zone)
	if err != nil {
		zone = time.UTC
	}
	return &sender{method: method, actor: user.Actor(), zone: zone, now: s.Now(), people: people}, nil
}

func (s *Service) perform(ctx context.Context, p *sender, c notify.Command) (string, error) {
	switch c.Action {
	case notify.Help:
		return HelpText, nil
	case notify.Stop:
		return "", s.stop(ctx, p)
	case notify.Yes:
		if p.method.DisabledAt != nil && c.Number == 0 {
			return s.start(ctx, p)
		}
		return s.keep(ctx, p, c.Number)
	case notify.Start:
		return s.start(ctx, p)
	}
	if err := s.mayAct(ctx, p, c); err != nil {
		return "", err
	}
	switch {
	case c.All:
		return s.acknowledgeAll(ctx, p)
	case c.Number != 0:
		return s.act(ctx, p, c.Action, c.Number)
	}
	return s.withoutNumber(ctx, p, c.Action)
}

// mayAct allows commands to those who may act on incidents, and an acknowledgment to
// everybody who was paged for what it is of.
func (s *Service) mayAct(ctx context.Context, p *sender, c notify.Command) error {
	refused := auth.Allow(p.actor, auth.ActOnIncident, auth.Object{})
	if refused == nil || c.Action != notify.Acknowledge {
		return refused
	}
	if c.Number == 0 { // then it is of what the person was paged for
		return nil
	}
	waiting, _, err := s.Store.PagedBy(ctx, p.method, true, maxPaged)
	if err != nil {
		return err
	}
	listed, err := s.Store.LastListed(ctx, p.method)
	if err != nil {
		return err
	}
	if slices.Contains(listed, c.Number) || slices.ContainsFunc(waiting, func(r incident.Row) bool { return r.Number == c.Number }) {
		return nil
	}
	return refused
}

// maxPaged bounds how many incidents are looked at that a person was paged for.
const maxPaged = 200

// keep answers the question whether the person still works on an incident: the one of
// that number or, for 0, the only one that they are asked about.
func (s *Service) keep(ctx context.Context, p *sender, number int64) (string, error) {
	waiting, _, err := s.Store.PagedBy(ctx, p.method, false, maxPaged)
	if err != nil {
		return "", err
	}
	asked := slices.DeleteFunc(waiting, func(r incident.Row) bool {
		return r.AskedAt == nil || r.OwnerID == nil || *r.OwnerID != p.actor.UserID || number != 0 && r.Number != number
	})
	switch len(asked) {
	case 0:
		return "", notify.NotUnderstood()
	case 1:
		return s.act(ctx, p, notify.Acknowledge, asked[0].Number)
	}
	return askWhich(notify.Yes, asked[:min(len(asked), maxListed)], len(asked)), nil
}

func (s *Service) start(ctx context.Context, p *sender) (string, error) {
	changed, err := s.Store.SwitchContact(ctx, p.actor, p.method, true)
	if !changed {
		return onText, err
	}
	return startedText, err
}

// stop switches a number off, and sends the person a notice by another medium:
// the carrier blocks the number itself.
func (s *Service) stop(ctx context.Context, p *sender) error {
	changed, err := s.Store.SwitchContact(ctx, p.actor, p.method, false)
	if err != nil || !changed {
		return err
	}
	people, err := s.People.Recipients(ctx, 0)
	if err != nil {
		return err
	}
	// The people that were read may still have the number as usable.
	other, ok := people[p.actor.UserID].FallOver([]int64{p.method.ID}, func(m notify.Medium) bool { return m != notify.SMS && s.Works(m) })
	if !ok {
		s.Log.WarnContext(ctx, "no contact method left for the notice of STOP", "user", p.actor.Email)
		return nil
	}
	return s.Store.Notice(ctx, other, StoppedText)
}

// Unsubscribed switches off a number whose owner has told the carrier to send nothing
// more, as an answer STOP does.
func (s *Service) Unsubscribed(ctx context.Context, medium notify.Medium, address string) error {
	if medium != notify.SMS {
		return nil
	}
	p, err := s.sender(ctx, address)
	if fault.Is(err, fault.KindNotFound) {
		return nil // a number that is not verified yet
	}
	if err != nil {
		return err
	}
	return s.stop(ctx, p)
}

// withoutNumber acts on the only incident that can be meant: the only one that
// the person was paged for by SMS and that is unanswered or, unless the command
// acknowledges, theirs. Where there is none, it is the only one in the last
// message.
func (s *Service) withoutNumber(ctx context.Context, p *sender, action notify.Action) (string, error) {
	meant, total, err := s.Store.PagedBy(ctx, p.method, action != notify.Acknowledge, maxListed)
	if err != nil {
		return "", err
	}
	switch total {
	case 1:
		return s.act(ctx, p, action, meant[0].Number)
	case 0:
		listed, err := s.Store.LastListed(ctx, p.method)
		if err != nil || len(listed) != 1 {
			return nothingText, err
		}
		return s.act(ctx, p, action, listed[0])
	}
	return askWhich(action, meant, total), nil
}

// digits are the shortest words for the actions.
var digits = map[notify.Action]string{notify.Acknowledge: "4", notify.Resolve: "6", notify.Escalate: "5", notify.Decline: "decline", notify.Yes: "yes"}

// maxListed bounds how many incidents an answer lists with their titles.
const maxListed = 5

// askWhich asks for a number. It lists the newest first, and counts those of
// total that it leaves out.
func askWhich(action notify.Action, meant []incident.Row, total int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `Which one? Reply "%s %d" for`, digits[action], meant[0].Number)
	for _, row := range meant {
		fmt.Fprintf(&b, "\n%d %s: %s", row.Number, row.ServiceName, truncate(row.Title, 40))
	}
	if rest := total - len(meant); rest > 0 {
		fmt.Fprintf(&b, "\nand %d more", rest)
	}
	return b.String()
}

func truncate(text string, maxRunes int) string {
	runes := []rune(text)
	if len(runes) <= maxRunes {
		return text
	}
	return strings.TrimSpace(string(runes[:maxRunes-3])) + "..."
}

// acts are what the actions of commands do to an incident.
var acts = map[notify.Action]incident.Act{
	notify.Acknowledge: incident.ActAcknowledge{},
	notify.Resolve:     incident.ActResolve{},
	notify.Escalate:    incident.ActEscalate{},
	notify.Decline:     incident.ActDecline{},
}

// act carries out a command on one incident and words the outcome.
func (s *Service) act(ctx context.Context, p *sender, action notify.Action, number int64) (string, error) {
	out, err := s.Actions.Do(ctx, incident.Command{Number: number, By: p.by(), Act: acts[action]})
	if err != nil {
		return "", err
	}
	return outcomeText(p, action, out), nil
}

// outcomeText is the answer to a command on one incident.
func outcomeText(p *sender, action notify.Action, out incident.Outcome) string {
	inc := out.Incident
	switch {
	case out.Reason == incident.ReasonResolved:
		return resolvedText(p, inc)
	case out.Kind == incident.NotAllowed:
		return out.Refusal()
	case out.Kind == incident.Shadow:
		return ShadowedText([]int64{inc.Number})
	case action == notify.Resolve:
		return resolvedText(p, inc)
	case out.Kind == incident.Joined:
		return fmt.Sprintf("You joined %d. %s owns it.", inc.Number, p.name(out.By))
	case action == notify.Decline:
		return fmt.Sprintf("You declined %d.", inc.Number)
	case action == notify.Escalate && inc.Status == incident.Acknowledged:
		return fmt.Sprintf("%d: the next step is asked to join. %s still owns it.", inc.Number, p.name(inc.AcknowledgedBy))
	case action == notify.Escalate:
		return fmt.Sprintf("%d goes to the next step now.", inc.Number)
	case out.Faster(p.actor.String()):
		return fmt.Sprintf("%d was already acknowledged by %s %s.", inc.Number, p.name(out.By), p.at(out.At))
	}
	return fmt.Sprintf(`%d is yours, acknowledged %s. "6 %d" resolves it.`, inc.Number, p.at(*inc.AcknowledgedAt), inc.Number)
}

// ShadowedText answers a shadow's acknowledgment of incidents.
func ShadowedText(list []int64) string {
	it, goes := "it", "goes"
	if len(list) > 1 {
		it, goes = "they", "go"
	}
	return fmt.Sprintf("You shadow %s; %s %s on until somebody on call answers.", numbers(list), it, goes)
}

func resolvedText(p *sender, inc incident.Incident) string {
	at := ""
	if inc.ResolvedAt != nil {
		at = " " + p.at(*inc.ResolvedAt)
	}
	if inc.ResolvedBy != p.actor.Email {
		return fmt.Sprintf("%d was already resolved by %s%s.", inc.Number, p.name(inc.ResolvedBy), at)
	}
	return fmt.Sprintf("%d is resolved%s.", inc.Number, at)
}

// acknowledgeAll acknowledges the incidents that the last message listed, and no
// others.
func (s *Service) acknowledgeAll(ctx context.Context, p *sender) (string, error) {
	listed, err := s.Store.LastListed(ctx, p.method)
	if err != nil {
		return "", err
	}
	if len(listed) == 0 {
		return nothingText, nil
	}
	var taken, gone, shadows []int64
	for _, number := range listed {
		out, err := s.Actions.Do(ctx, incident.Command{Number: number, By: p.by(), Act: incident.ActAcknowledge{}})
		switch {
		case err != nil:
			return "", err
		case out.Kind == incident.Shadow:
			shadows = append(shadows, number)
		case out.Kind == incident.Joined:
			taken = append(taken, number)
		case out.Kind == incident.NotAllowed || out.Faster(p.actor.String()):
			gone = append(gone, number)
		default:
			taken = append(taken, number)
		}
	}
	var sentences []string
	if len(taken) > 0 {
		sentences = append(sentences, "Acknowledged: "+numbers(taken)+".")
	}
	if len(gone) == len(listed) {
		sentences = append(sentences, "All of them were answered already: "+numbers(gone)+".")
	} else if len(gone) > 0 {
		sentences = append(sentences, "Answered already: "+numbers(gone)+".")
	}
	if len(shadows) > 0 {
		sentences = append(sentences, ShadowedText(shadows))
	}
	return strings.Join(sentences, " "), nil
}

// maxNumbers bounds how many bare numbers an answer names.
const maxNumbers = 12

func numbers(list []int64) string {
	var words []string
	for i, n := range list {
		if i == maxNumbers {
			return strings.Join(words, ", ") + fmt.Sprintf(" and %d more", len(list)-i)
		}
		words = append(words, strconv.FormatInt(n, 10))
	}
	return strings.Join(words, ", ")
}
