package server

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/config"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/store"
)

// heldWriter says when a batch begins, and writes it only when it may.
type heldWriter struct {
	ingest.Writer
	begins func()
	may    <-chan struct{}
}

func (w heldWriter) WriteSignals(ctx context.Context, signals []ingest.Signal) (ingest.Written, error) {
	w.begins()
	<-w.may
	return w.Writer.WriteSignals(ctx, signals)
}

// The sender is gone, so that no request waits for the batch.
func TestShutdownWritesAcceptedSignals(t *testing.T) {
	t.Parallel()
	address := "sqlite:" + filepath.Join(t.TempDir(), "tocsin.db")
	cfg := config.Config{Listen: "127.0.0.1:0", Database: config.Database{URL: config.NewSecret(address)}, SecretKey: config.NewSecret(strings.Repeat("k", config.KeySize))}
	s, err := New(t.Context(), cfg, slog.New(slog.DiscardHandler), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.DB.Write.ExecContext(t.Context(), "INSERT INTO services (id, slug, name) VALUES (1, 'checkout-api', 'Checkout API')"); err != nil {
		t.Fatal(err)
	}
	sending, goAway := context.WithCancel(t.Context())
	may := make(chan struct{})
	s.batcher = ingest.NewBatcher(heldWriter{s.DB.Incidents, goAway, may}, ingest.BatcherOptions{Log: slog.New(slog.DiscardHandler)})
	if err := s.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	submit := func(ctx context.Context) error {
		_, err := s.batcher.Submit(ctx, []ingest.Signal{{
			ServiceID: 1, ConfigVersion: 1, ReceivedAt: time.Now(),
			Event: incident.Event{Action: incident.Trigger, DedupKey: "a", Title: "A", Body: []byte("{}")},
			Rules: incident.Rules{ServiceID: 1, IntegrationID: 1, Actor: "integration:SRE"},
		}})
		return err
	}
	if err := submit(sending); err == nil {
		t.Fatal("the signal was answered before it was written")
	}
	stopped, shutDown := context.WithCancel(t.Context())
	shutDown()
	ended := make(chan error, 1)
	go func() { ended <- s.Run(stopped) }()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for err := error(nil); err == nil || !strings.Contains(err.Error(), "shutting down"); {
		select {
		case err := <-ended:
			t.Fatalf("the server ended before the signal was written: %v", err)
		case <-look.C:
			err = submit(sending)
		}
	}
	close(may)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), address, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	var n int
	if err := st.Read.QueryRowContext(t.Context(), "SELECT count(*) FROM alerts").Scan(&n); err != nil {
		t.Fatal(err)
	}
	if n != 1 {
		t.Errorf("%d alerts are stored", n)
	}
}
