// Package spelling compares words that people typed.
package spelling

import "strings"

// Slips is how many bytes have to be put in, taken out, replaced, or swapped
// with the next to make one word of the other.
func Slips(a, b string) int {
	var before []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			replaced := row[j]
			if a[i] != b[j] {
				replaced++
			}
			next[j+1] = min(replaced, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}

// Nearest is the name that somebody who wrote word may have meant, or empty.
// What two addresses have in common after the @ makes them no nearer.
func Nearest(word string, names []string) string {
	local, _, _ := strings.Cut(word, "@")
	best, fewest := "", 2+len(local)/3
	for _, name := range names {
		if d := Slips(word, name); d < fewest {
			best, fewest = name, d
		}
	}
	return best
}

// DidYouMean ends a message about a word with a suggestion, where there is one.
func DidYouMean(word string, names []string) string {
	if name := Nearest(word, names); name != "" {
		return " Did you mean " + name + "?"
	}
	return ""
}
