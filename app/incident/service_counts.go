package incident

import "time"

// ServiceCounts are of the incidents of one service that are open.
type ServiceCounts struct {
	Open, Unanswered int
	// OldestUnanswered is when the longest unanswered one was opened, nil for
	// none.
	OldestUnanswered *time.Time
	// First is the number of the most urgent one: see MostUrgentFirst.
	First int64
	// Worst is the most urgent level among them, nil where none has any.
	Worst *int
}
