package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
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
