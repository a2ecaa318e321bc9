package incident

import (
	"context"
	"strconv"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// BulkOutcome is what came of an act on several incidents, by their numbers.
type BulkOutcome struct {
	// Changed are those that the act changed, and that an undo is for.
	Changed []int64
	Joined  []int64
	Shadow  []int64
	// Missed could not be changed: others were faster, they are over, or there is no
	// such incident. Why is the reason in words where there was one for all.
	Missed []int64
	Why    string
}

// DoMany carries out an act on several incidents, each in a transaction of its own and
// in the order of the numbers. After an error those before it stay changed; they are in
// the outcome.
func (s *Service) DoMany(ctx context.Context, numbers []int64, by By, act Act) (BulkOutcome, error) {
	var all BulkOutcome
	for _, n := range numbers {
		out, err := s.Do(ctx, Command{Number: n, By: by, Act: act})
		switch {
		case fault.Is(err, fault.KindNotFound):
			all.Missed = append(all.Missed, n)
		case err != nil:
			return all, err
		case out.Kind == Shadow:
			all.Shadow = append(all.Shadow, n)
		case out.Kind == Joined:
			all.Joined = append(all.Joined, n)
		case out.Kind == Done:
			all.Changed = append(all.Changed, n)
		default:
			all.Missed = append(all.Missed, n)
		}
	}
	return all, nil
}

// FormatNumbers writes ascending numbers as ranges: "17-20,31".
func FormatNumbers(numbers []int64) string {
	var parts []string
	for i := 0; i < len(numbers); i++ {
		first := i
		for i+1 < len(numbers) && numbers[i+1] == numbers[i]+1 {
			i++
		}
		part := strconv.FormatInt(numbers[first], 10)
		if i > first {
			part += "-" + strconv.FormatInt(numbers[i], 10)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ",")
}

// ParseNumbers reads what FormatNumbers wrote, of at most limit numbers.
func ParseNumbers(text string, limit int) ([]int64, bool) {
	var numbers []int64
	for part := range strings.SplitSeq(text, ",") {
		from, to, isRange := strings.Cut(part, "-")
		first, err := strconv.ParseInt(from, 10, 64)
		last := first
		if err == nil && isRange {
			last, err = strconv.ParseInt(to, 10, 64)
		}
		if err != nil || first < 1 || last < first || last-first >= int64(limit-len(numbers)) {
			return nil, false
		}
		for n := first; n <= last; n++ {
			numbers = append(numbers, n)
		}
	}
	return numbers, true
}
