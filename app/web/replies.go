package web

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// Replies is what answers to messages need of the store.
type Replies interface {
	// ContactByAddress is NotFound where the address is nobody's.
	ContactByAddress(ctx context.Context, medium notify.Medium, address string) (notify.ContactMethod, error)
	// PagedBy are the incidents that its owner was paged for by a contact method
	// and that wait for an answer, and theirs as well; the newest limit of total.
	PagedBy(ctx context.Context, method notify.ContactMethod, theirs bool, limit int) (rows []incident.Row, total int, err error)
	// LastListed are the incidents that the last page by it told of.
	LastListed(ctx context.Context, method notify.ContactMethod) ([]int64, error)
	SwitchContact(ctx context.Context, by auth.Actor, method notify.ContactMethod, on bool) (changed bool, err error)
	// Notice sends words that ask for no action.
	Notice(ctx context.Context, to notify.ContactMethod, text string) error
}

// Actions are what people do to incidents: incident.Service.
type Actions interface {
	Acknowledge(ctx context.Context, number int64, by incident.By) (incident.Incident, error)
	Unacknowledge(ctx context.Context, number int64, by incident.By) (incident.Incident, error)
	Resolve(ctx context.Context, number int64, by incident.By, fixedBy string) (incident.Incident, error)
	UndoResolve(ctx context.Context, number int64, by incident.By) (incident.Incident, error)
	Reopen(ctx context.Context, number int64, by incident.By) (incident.Incident, error)
	SetPriority(ctx context.Context, number int64, by incident.By, level *int, reason string) (incident.Incident, error)
	Escalate(ctx context.Context, number int64, by incident.By) (incident.Incident, error)
	Note(ctx context.Context, number int64, by incident.By, text string) (incident.Incident, error)
}

// correspondent is the person behind a number, and how they write.
type correspondent struct {
	method notify.ContactMethod
	actor  auth.Actor
	zone   *time.Location
	now    time.Time
	people map[int64]notify.Recipient
}

func (p *correspondent) by() incident.By {
	return incident.By{Actor: p.actor.String(), UserID: &p.actor.UserID, Via: "sms"}
}

// at is a time on the person's wall, with its day where that is not today.
func (p *correspondent) at(t time.Time) string {
	t = t.In(p.zone)
	if t.Format(time.DateOnly) == p.now.In(p.zone).Format(time.DateOnly) {
		return "at " + t.Format("15:04 MST")
	}
	return "on " + t.Format("Mon 2 Jan at 15:04 MST")
}

// name is an actor as people speak of them.
func (p *correspondent) name(actor string) string {
	for _, known := range p.people {
		if known.Email == actor {
			return known.Name
		}
	}
	if token, ok := strings.CutPrefix(actor, "token:"); ok {
		return "API token " + token
	}
	if integration, ok := strings.CutPrefix(actor, "integration:"); ok {
		return integration
	}
	if actor == incident.Tocsin {
		return "Tocsin"
	}
	return actor
}

// What is answered where the words alone decide it.
const (
	helpText     = `Tocsin: reply "4 17" to acknowledge incident 17, "6 17" to resolve it, "5 17" to escalate it, "ack all" for all of the last message. STOP ends SMS.`
	startedText  = "SMS from Tocsin is on again."
	stoppedText  = "SMS is off\nYou answered STOP, so Tocsin sends no SMS to this number any more, not even at night. Reply START from it to switch SMS on again."
	nothingText  = "Nothing is waiting for you."
	troubledText = "Tocsin could not do that just now. Send it again in a moment, or open the link."
)

// reply carries out what a text from a number asks for and says what was done.
// A text from a number that is nobody's does nothing, and the answer is empty.
func (h *edge) reply(ctx context.Context, from, text string) (string, error) {
	p, err := h.correspondent(ctx, from)
	if fault.Is(err, fault.KindNotFound) {
		h.Log.WarnContext(ctx, "a text came from a number that is nobody's here", "number_ends_with", from[max(0, len(from)-3):])
		return "", nil
	}
	if err != nil {
		return "", err
	}
	command, err := notify.ParseCommand(text)
	if err == nil {
		text, err = h.obey(ctx, p, command)
	}
	var f *fault.Error
	if errors.As(err, &f) && f.Kind != fault.KindInternal && f.Kind != fault.KindUnavailable {
		return f.Message, nil // such as that it was resolved already, and by whom
	}
	return text, err
}

func (h *edge) correspondent(ctx context.Context, from string) (*correspondent, error) {
	address, err := notify.NormalizeAddress(notify.SMS, from)
	if err != nil { // a short code, or a name
		return nil, fault.NotFound("Nobody has this number.")
	}
	method, err := h.Replies.ContactByAddress(ctx, notify.SMS, address)
	if err != nil {
		return nil, err
	}
	user, err := h.Auth.User(ctx, auth.Tocsin, method.UserID)
	if err != nil {
		return nil, err
	}
	people, err := h.People.Recipients(ctx, 0)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(people[user.ID].Zone)
	if err != nil {
		zone = time.UTC
	}
	return &correspondent{method: method, actor: user.Actor(), zone: zone, now: h.Now(), people: people}, nil
}

func (h *edge) obey(ctx context.Context, p *correspondent, c notify.Command) (string, error) {
	switch c.Action {
	case notify.Help:
		return helpText, nil
	case notify.Stop:
		return "", h.stop(ctx, p)
	case notify.Start:
		_, err := h.Replies.SwitchContact(ctx, p.actor, p.method, true)
		return startedText, err
	}
	if err := auth.Allow(p.actor, auth.ActOnIncident, auth.Object{}); err != nil {
		return "", err
	}
	switch {
	case c.All:
		return h.acknowledgeAll(ctx, p)
	case c.Number != 0:
		return h.act(ctx, p, c.Action, c.Number)
	}
	return h.bareWord(ctx, p, c.Action)
}

// stop switches a number off, and has the person told by another channel: the
// number itself takes nothing any more.
func (h *edge) stop(ctx context.Context, p *correspondent) error {
	changed, err := h.Replies.SwitchContact(ctx, p.actor, p.method, false)
	if err != nil || !changed {
		return err
	}
	people, err := h.People.Recipients(ctx, 0)
	if err != nil {
		return err
	}
	// The picture may still show the number as usable.
	other, ok := people[p.actor.UserID].FallOver([]int64{p.method.ID}, func(m notify.Medium) bool { return m != notify.SMS && h.Works(m) })
	if !ok {
		h.Log.WarnContext(ctx, "somebody switched SMS off and has no other contact method to be told by", "user", p.actor.Email)
		return nil
	}
	return h.Replies.Notice(ctx, other, stoppedText)
}

// bareWord acts where one incident can be meant: the only one that the person
// was paged for by SMS and that is unanswered or, but for an acknowledgment,
// theirs. Where there is none, it is the one that the last message told of.
func (h *edge) bareWord(ctx context.Context, p *correspondent, action notify.Action) (string, error) {
	meant, total, err := h.Replies.PagedBy(ctx, p.method, action != notify.Acknowledge, mostNamed)
	if err != nil {
		return "", err
	}
	switch total {
	case 1:
		return h.act(ctx, p, action, meant[0].Number)
	case 0:
		listed, err := h.Replies.LastListed(ctx, p.method)
		if err != nil || len(listed) != 1 {
			return nothingText, err
		}
		return h.act(ctx, p, action, listed[0])
	}
	return which(action, meant, total), nil
}

// digits are the shortest words for the actions.
var digits = map[notify.Action]string{notify.Acknowledge: "4", notify.Resolve: "6", notify.Escalate: "5"}

// mostNamed bounds how many incidents a text names.
const mostNamed = 5

// which asks for a number, with the newest first, and says how many of total it
// does not name.
func which(action notify.Action, meant []incident.Row, total int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `Which one? Reply "%s %d" for`, digits[action], meant[0].Number)
	for _, row := range meant {
		fmt.Fprintf(&b, "\n%d %s: %s", row.Number, row.ServiceName, shorten(row.Title, 40))
	}
	if rest := total - len(meant); rest > 0 {
		fmt.Fprintf(&b, "\nand %d more", rest)
	}
	return b.String()
}

func shorten(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return strings.TrimSpace(string(runes[:most-3])) + "..."
}

// act does one thing to one incident, and says what came of it; of one that is
// over, who was faster.
func (h *edge) act(ctx context.Context, p *correspondent, action notify.Action, number int64) (string, error) {
	said, err := h.actOnce(ctx, p, action, number)
	if !fault.Is(err, fault.KindConflict) {
		return said, err
	}
	row, missing := h.Incidents.Incident(ctx, number)
	if missing != nil || row.Status != incident.Resolved {
		return "", err
	}
	return sayResolved(p, row.Incident), nil
}

func (h *edge) actOnce(ctx context.Context, p *correspondent, action notify.Action, number int64) (string, error) {
	switch action {
	case notify.Acknowledge:
		inc, err := h.Actions.Acknowledge(ctx, number, p.by())
		if err != nil {
			return "", err
		}
		return sayAcknowledged(p, inc), nil
	case notify.Resolve:
		inc, err := h.Actions.Resolve(ctx, number, p.by(), "")
		if err != nil {
			return "", err
		}
		return sayResolved(p, inc), nil
	default:
		_, err := h.Actions.Escalate(ctx, number, p.by())
		return fmt.Sprintf("%d goes to the next step now.", number), err
	}
}

func sayAcknowledged(p *correspondent, inc incident.Incident) string {
	switch {
	case shadowed(inc):
		return sayShadowed([]int64{inc.Number})
	case inc.AcknowledgedBy == p.actor.Email:
		return fmt.Sprintf(`%d is yours, acknowledged %s. "6 %d" resolves it.`, inc.Number, p.at(*inc.AcknowledgedAt), inc.Number)
	}
	return fmt.Sprintf("%d was already acknowledged by %s %s.", inc.Number, p.name(inc.AcknowledgedBy), p.at(*inc.AcknowledgedAt))
}

// shadowed reports whether an acknowledgment that did not fail was a shadow's,
// which stops nothing.
func shadowed(inc incident.Incident) bool {
	return inc.Status != incident.Acknowledged || inc.AcknowledgedAt == nil
}

func sayShadowed(list []int64) string {
	it, goes := "it", "goes"
	if len(list) > 1 {
		it, goes = "they", "go"
	}
	return fmt.Sprintf("You shadow %s; %s %s on until somebody on call answers.", numbers(list), it, goes)
}

func sayResolved(p *correspondent, inc incident.Incident) string {
	at := ""
	if inc.ResolvedAt != nil {
		at = " " + p.at(*inc.ResolvedAt)
	}
	if inc.ResolvedBy != p.actor.Email {
		return fmt.Sprintf("%d was already resolved by %s%s.", inc.Number, p.name(inc.ResolvedBy), at)
	}
	return fmt.Sprintf("%d is resolved%s.", inc.Number, at)
}

// acknowledgeAll covers what the last message listed and nothing else.
func (h *edge) acknowledgeAll(ctx context.Context, p *correspondent) (string, error) {
	listed, err := h.Replies.LastListed(ctx, p.method)
	if err != nil {
		return "", err
	}
	if len(listed) == 0 {
		return nothingText, nil
	}
	var taken, gone, shadows []int64
	for _, number := range listed {
		inc, err := h.Actions.Acknowledge(ctx, number, p.by())
		switch {
		case fault.Is(err, fault.KindConflict):
			gone = append(gone, number)
		case err != nil:
			return "", err
		case shadowed(inc):
			shadows = append(shadows, number)
		case inc.AcknowledgedBy == p.actor.Email:
			taken = append(taken, number)
		default:
			gone = append(gone, number)
		}
	}
	var said []string
	if len(taken) > 0 {
		said = append(said, "Acknowledged: "+numbers(taken)+".")
	}
	if len(gone) == len(listed) {
		said = append(said, "All of them were answered already: "+numbers(gone)+".")
	} else if len(gone) > 0 {
		said = append(said, "Answered already: "+numbers(gone)+".")
	}
	if len(shadows) > 0 {
		said = append(said, sayShadowed(shadows))
	}
	return strings.Join(said, " "), nil
}

// mostNumbers bounds how many bare numbers a text names.
const mostNumbers = 12

func numbers(list []int64) string {
	var words []string
	for i, n := range list {
		if i == mostNumbers {
			return strings.Join(words, ", ") + fmt.Sprintf(" and %d more", len(list)-i)
		}
		words = append(words, strconv.FormatInt(n, 10))
	}
	return strings.Join(words, ", ")
}
