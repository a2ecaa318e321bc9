package store

import (
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/notify"
)

// onlyClaim claims what is due, which must be one message.
func (p *pipeline) onlyClaim(what string) notify.Claim {
	p.t.Helper()
	claims := p.claim(8)
	if len(claims) != 1 {
		p.t.Fatalf("%s: %d messages were claimed", what, len(claims))
	}
	return claims[0]
}

// postponed records that a message failed and is tried again after a while.
func (p *pipeline) postponed(c notify.Claim, wait time.Duration) {
	p.t.Helper()
	retry := p.now.Add(wait)
	p.must(0, p.db.Paging.Failed(p.t.Context(), c, notify.Failure{Reason: "busy"}, &retry, nil, p.now))
}

func (p *pipeline) update(c notify.Claim, post string) {
	p.t.Helper()
	p.must(0, p.db.Paging.Sent(p.t.Context(), c, notify.Receipt{ProviderID: post}, p.now))
}

// A message that carries others and failed may be carried itself.
func TestCarriedPostKeepsWhatItCarried(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.toChat()
		p.storm(20)
		p.now = p.now.Add(time.Minute)
		first := p.onlyClaim("the storm")
		p.postponed(first, time.Minute)
		p.storm(4, withPriority(1))
		p.now = p.now.Add(2 * time.Minute)
		if all := p.onlyClaim("both"); all.ID == first.ID || all.Count() != 24 || all.Update != "" {
			t.Errorf("the message %d is about %d incidents", all.ID, all.Count())
		}
	})
}

// A message that failed, and whose incident another post shows meanwhile, posts the
// others that it carries: they have no post yet, and the other post is not theirs.
func TestRetriedPostLeavesOthersAlone(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.toChat()
		numbers := p.storm(20)
		p.now = p.now.Add(time.Minute)
		first := p.onlyClaim("the storm")
		p.postponed(first, 4*time.Minute)
		p.acknowledge(numbers[3])
		fresh := p.storm(3)
		p.now = p.now.Add(2 * time.Minute)
		second := p.onlyClaim("the acknowledged one and three new ones")
		if second.Count() != 4 {
			t.Fatalf("it is about %d incidents", second.Count())
		}
		p.postponed(second, 4*time.Minute)
		p.now = p.now.Add(3 * time.Minute)
		first = p.onlyClaim("the storm again")
		if first.Count() != 20 || first.States["acknowledged"] != 1 {
			t.Fatalf("it is about %d incidents, %d of them acknowledged", first.Count(), first.States["acknowledged"])
		}
		p.update(first, "A")
		p.now = p.now.Add(3 * time.Minute)
		second = p.onlyClaim("the new ones again")
		if second.Count() != 3 || second.Update != "" {
			t.Fatalf("it is about %d incidents and updates %q", second.Count(), second.Update)
		}
		p.update(second, "B")
		for number, want := range map[int64]struct {
			post  string
			count int
		}{numbers[4]: {"A", 20}, fresh[0]: {"B", 3}} {
			p.acknowledge(number)
			p.now = p.now.Add(2 * time.Minute)
			update := p.onlyClaim("an update")
			if update.Update != want.post || update.Count() != want.count {
				t.Errorf("the post %q is updated with %d incidents, want %+v", update.Update, update.Count(), want)
			}
			p.update(update, want.post)
		}
	})
}

// A post that was deleted in the channel is posted once again, not at every change.
func TestPostThatIsGoneIsReplacedOnce(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.toChat()
		numbers := p.storm(20)
		p.now = p.now.Add(time.Minute)
		p.update(p.onlyClaim("the storm"), "A")
		for i, want := range []string{"A", "B", "B"} {
			p.acknowledge(numbers[i])
			p.now = p.now.Add(2 * time.Minute)
			update := p.onlyClaim("an update")
			if update.Update != want || update.Count() != 20 {
				t.Errorf("update %d is of %q with %d incidents", i, update.Update, update.Count())
			}
			p.update(update, "B")
		}
	})
}
