package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
)

// Recoveries that come together update the post of each incident, rather than be told
// in one new post above those that stay as they were.
func TestRecoveriesUpdateTheirPosts(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		chat := p.toChat()
		const incidents = 9
		for i := range incidents {
			p.write(p.signal(fmt.Sprint("breach-", i)))
			p.settle()
			p.advance(time.Minute)
		}
		posts := map[int64]string{} // the provider's ids, by incident
		for _, post := range chat.taken() {
			posts[post.Subjects[0].Number] = fmt.Sprintf("SM%d", post.Attempt)
		}
		if len(posts) != incidents {
			t.Fatalf("%d posts were made", len(posts))
		}
		user := ana
		for number := range posts {
			command := incident.Command{Number: number, By: incident.By{Actor: "ana@acme.example", UserID: &user, Via: "web"}, Act: incident.ActResolve{}}
			if _, err := p.actions.Do(t.Context(), command); err != nil {
				t.Fatal(err)
			}
		}
		p.settle()
		p.advance(time.Minute)
		updated := map[int64]string{}
		for _, post := range chat.taken() {
			if post.Count() != 1 || post.Subjects[0].Status != "resolved" {
				t.Errorf("a post of %d incidents, the first %s", post.Count(), post.Subjects[0].Status)
			}
			updated[post.Subjects[0].Number] = post.Update
		}
		for number, id := range posts {
			if updated[number] != id {
				t.Errorf("the post %s of incident %d: updated is %q", id, number, updated[number])
			}
		}
	})
}

// A post about several incidents is kept up to date as a whole: neither do further
// posts tell of single ones, nor does an update leave any of them out.
func TestBundlesPostIsUpdated(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		chat := p.toChat()
		const incidents = 9
		var signals []ingest.Signal
		for i := range incidents {
			signals = append(signals, p.signal(fmt.Sprint("breach-", i)))
		}
		results := p.write(signals...)
		p.settle()
		made := chat.taken()
		if len(made) != 1 || made[0].Count() != incidents || made[0].Update != "" {
			t.Fatalf("%d posts were made: %+v", len(made), made)
		}
		post := fmt.Sprintf("SM%d", made[0].Attempt)
		user := ana
		do := func(act incident.Act, results ...ingest.Result) (states map[string]int) {
			t.Helper()
			for _, r := range results {
				command := incident.Command{Number: r.Number, By: incident.By{Actor: "ana@acme.example", UserID: &user, Via: "web"}, Act: act}
				if _, err := p.actions.Do(t.Context(), command); err != nil {
					t.Fatal(err)
				}
			}
			p.settle()
			p.advance(time.Minute)
			updates := chat.taken()
			if len(updates) == 0 {
				t.Fatal("the post is not updated")
			}
			for _, u := range updates {
				if u.Update != post || u.Count() != incidents {
					t.Errorf("the post %s is updated as %q, with %d incidents", post, u.Update, u.Count())
				}
			}
			states = map[string]int{}
			last := updates[len(updates)-1]
			for i, s := range last.Subjects {
				states[s.Status]++
				if i > 0 && last.Subjects[i-1].Status == "resolved" && s.Status != "resolved" {
					t.Errorf("#%d is %s, and stands below one that is resolved", s.Number, s.Status)
				}
			}
			return states
		}
		if diff := cmp.Diff(map[string]int{"acknowledged": 2, "triggered": 7}, do(incident.ActAcknowledge{}, results[3], results[5])); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(map[string]int{"resolved": 2, "triggered": 7}, do(incident.ActResolve{}, results[3], results[5])); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(map[string]int{"resolved": 9}, do(incident.ActResolve{}, results...)); diff != "" {
			t.Error(diff)
		}
	})
}
