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
	// failuresByVisitor is the maximum number of wrong passwords for one account from
	// one address in a window.
	failuresByVisitor = 10
	// failuresByOrigin is the same for one account from one network: an IPv4 /24 or an
	// IPv6 /48. Attempts that are refused since too many wait count too, so that they
	// cannot keep the account's queue full.
	failuresByOrigin = 100
	// After this many wrong passwords for one account, from one address, or from one
	// network, its attempts are carried out one at a time, each delayed by slowBy. They
	// are not refused: an attacker must not be able to lock out the person on call, nor
	// one user a whole office.
	failuresByEmail   = 50
	failuresByRemote  = 50
	failuresByNetwork = 200
	slowBy            = 2 * time.Second
	// maxKeys bounds the memory of a limiter. Beyond it, of the oldestKeys least
	// recently used keys the one with the fewest failures is deleted: an attacker
	// chooses keys, and many keys with one failure must not evict one with fifty.
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

// limiter counts failed attempts by key, in the memory of this process: with several
// processes, each has its own limit.
type limiter struct {
	most   int
	window time.Duration

	mu   sync.Mutex
	keys map[string]*list.Element // of *attempts
	// order has the most recently used key at the back.
	order *list.List
}

type attempts struct {
	key string
	at  []time.Time // oldest first, at most as many as are allowed
}

func newLimiter(most int, window time.Duration) *limiter {
	return &limiter{most: most, window: window, keys: map[string]*list.Element{}, order: list.New()}
}

// take counts an attempt as failed and returns 0, or returns how long to wait. It
// counts
// before the result is known, so that concurrent attempts cannot exceed the limit.
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

// clearPrefix deletes the failures of all keys with a prefix. It visits all keys.
func (l *limiter) clearPrefix(prefix string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, e := range l.keys {
		if strings.HasPrefix(key, prefix) {
			l.drop(e)
		}
	}
}

// clear deletes the failures of a key.
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
		l.drop(l.evictable())
	}
	a := &attempts{key: key}
	l.keys[key] = l.order.PushBack(a)
	return a
}

// evictable is the key with the fewest failures among the oldestKeys.
func (l *limiter) evictable() *list.Element {
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

// remoteKey is the limiter key of a remote address: an IPv6 address counts as its /64
// network, since all of it belongs to one host.
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

// networkKey is the network that one customer may have whole: the /24 of an IPv4
// address, the /48 of an IPv6 address.
func networkKey(remote string) string {
	addr, ok := parseRemote(remote)
	switch {
	case !ok:
		return "unknown"
	case addr.Is6():
		return netip.PrefixFrom(addr, 48).Masked().String()
	}
	return netip.PrefixFrom(addr, 24).Masked().String()
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

// originKey is an account from a network.
func originKey(email, remote string) string { return email + " " + networkKey(remote) }

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
