package auth

import (
	"container/list"
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

const (
	// failureWindow is how long a failed attempt counts.
	failureWindow = 15 * time.Minute
	// failuresByVisitor are the wrong passwords that one account takes from one
	// address in a window.
	failuresByVisitor = 10
	// After so many wrong passwords for one account, from one address, or from
	// one IPv6 network of 48 bits, attempts there go one at a time, each slowed by
	// slowBy. Nobody is refused for long for what others did, or a stranger could
	// lock out whoever is on call, and one member a whole office.
	failuresByEmail   = 50
	failuresByRemote  = 50
	failuresByNetwork = 200
	slowBy            = 2 * time.Second
	// maxKeys bounds the memory of a limiter. Beyond it, the key with the fewest
	// failures is forgotten among the oldestKeys that failed longest ago: keys are
	// chosen by whoever guesses, and many of one failure push out none of fifty.
	maxKeys    = 20_000
	oldestKeys = 100
)

// Wait is the cause of a fault of kind limited: how long until the next
// attempt can be taken.
type Wait struct{ For time.Duration }

func (w *Wait) Error() string { return "wait for " + w.For.String() }

func limited(wait time.Duration) error {
	minutes := int((wait + time.Minute - 1) / time.Minute)
	in := "a minute"
	if minutes > 1 {
		in = fmt.Sprintf("%d minutes", minutes)
	}
	return fault.Limited("Too many attempts failed. Try again in %s.", in).Because(&Wait{For: wait})
}

// limiter counts failed attempts by key, in the memory of this process: with
// several processes, each takes its own share.
type limiter struct {
	most   int
	window time.Duration

	mu   sync.Mutex
	keys map[string]*list.Element // of *attempts
	// order has the key that was last taken at the back.
	order *list.List
}

type attempts struct {
	key string
	at  []time.Time // oldest first, at most as many as are let
}

func newLimiter(most int, window time.Duration) *limiter {
	return &limiter{most: most, window: window, keys: map[string]*list.Element{}, order: list.New()}
}

// take counts an attempt as failed and returns 0, or says how long to wait.
// Counting before the outcome is known keeps a hundred attempts at once from
// passing where ten in turn would not.
func (l *limiter) take(key string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.attempts(key)
	for len(a.at) > 0 && !now.Before(a.at[0].Add(l.window)) {
		a.at = a.at[1:]
	}
	if len(a.at) >= l.most {
		return a.at[0].Add(l.window).Sub(now)
	}
	a.at = append(a.at, now)
	return 0
}

// giveBack undoes one take: the attempt did not fail.
func (l *limiter) giveBack(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.keys[key]
	if !ok {
		return
	}
	a := e.Value.(*attempts)
	if len(a.at) > 0 {
		a.at = a.at[:len(a.at)-1]
	}
	if len(a.at) == 0 {
		l.drop(e)
	}
}

// clearPrefix forgets every failure of all keys that begin so. It looks at all.
func (l *limiter) clearPrefix(prefix string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, e := range l.keys {
		if strings.HasPrefix(key, prefix) {
			l.drop(e)
		}
	}
}

// clear forgets every failure of a key.
func (l *limiter) clear(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.keys[key]; ok {
		l.drop(e)
	}
}

func (l *limiter) attempts(key string) *attempts {
	if e, ok := l.keys[key]; ok {
		l.order.MoveToBack(e)
		return e.Value.(*attempts)
	}
	if l.order.Len() >= maxKeys {
		l.drop(l.least())
	}
	a := &attempts{key: key}
	l.keys[key] = l.order.PushBack(a)
	return a
}

// least has the fewest failures of the oldest keys.
func (l *limiter) least() *list.Element {
	least := l.order.Front()
	for i, e := 0, least; i < oldestKeys && e != nil; i, e = i+1, e.Next() {
		if len(e.Value.(*attempts).at) < len(least.Value.(*attempts).at) {
			least = e
		}
	}
	return least
}

func (l *limiter) drop(e *list.Element) {
	l.order.Remove(e)
	delete(l.keys, e.Value.(*attempts).key)
}

// remoteKey is what a remote address counts as. Whoever has one IPv6 address
// has the 64-bit network around it.
func remoteKey(remote string) string {
	addr, ok := parseRemote(remote)
	switch {
	case !ok:
		return "unknown"
	case addr.Is6():
		return netip.PrefixFrom(addr, 64).Masked().String()
	}
	return addr.String()
}

// networkKey is the 48-bit network of an IPv6 address, which is what one customer
// may have; empty for others.
func networkKey(remote string) string {
	addr, ok := parseRemote(remote)
	if !ok || !addr.Is6() {
		return ""
	}
	return netip.PrefixFrom(addr, 48).Masked().String()
}

func parseRemote(remote string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(remote)
	if err != nil {
		ap, errPort := netip.ParseAddrPort(remote)
		if errPort != nil {
			return netip.Addr{}, false
		}
		addr = ap.Addr()
	}
	return addr.Unmap().WithZone(""), true
}

// visitorKey is an account from a remote address. No email address has a space.
func visitorKey(email, remote string) string { return email + " " + remoteKey(remote) }

// pause waits, unless ctx ends before.
func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
