//go:build peers

package peers

import "context"

type bodyKey struct{}

func withBody(ctx context.Context, body string) context.Context {
	return context.WithValue(ctx, bodyKey{}, body)
}

func bodyOf(ctx context.Context) string {
	body, _ := ctx.Value(bodyKey{}).(string)
	return body
}
